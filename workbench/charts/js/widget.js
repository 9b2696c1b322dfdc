// The chart's entry points.
import { PageLink } from "./link.js";
import { ChartView } from "./view.js";
import { entryPoints } from "./wire.js";

const { initialize, render } = entryPoints((model) => new PageLink(model), (model, link, el) => new ChartView(model, link, el));

export default { initialize, render };
