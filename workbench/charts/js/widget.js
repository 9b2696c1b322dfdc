// Entry points that anywidget calls. It hands `initialize` and `render` different model objects, so what both share is
// found by the chart's own id.
import { PageLink } from "./link.js";
import { ChartView } from "./view.js";

const links = new Map();

function initialize({ model }) {
  const id = model.get("uid");
  const link = new PageLink(model);
  links.set(id, link);
  return () => {
    link.close();
    links.delete(id);
  };
}

function render({ model, el }) {
  const view = new ChartView(model, links.get(model.get("uid")), el);
  view.open();
  return () => view.close();
}

export default { initialize, render };
