// Plotly's own script, once per page. It comes from the kernel over the wire (gzip), so charts work without internet
// and in the version that the installed Python package has.

const ASK_AGAIN_MS = 6000;

function shelf() {
  window.__workbenchPlotly ??= { plotly: null, waiting: [], askedAt: -Infinity };
  return window.__workbenchPlotly;
}

export function loadPlotly(link) {
  const kept = shelf();
  if (kept.plotly) return Promise.resolve(kept.plotly);
  return new Promise((resolve, reject) => {
    kept.waiting.push({ resolve, reject });
    link.onScript = (buffer) => receive(buffer);
    link.onShown = () => askOnce(link); // a view that was just opened is seen a little later
    ask(link);
  });
}

// Several charts may wait on one page: one question at a time, and again by whoever still lives when no answer came.
function ask(link) {
  if (shelf().plotly) return;
  askOnce(link);
  setTimeout(() => ask(link), ASK_AGAIN_MS / 6);
}

function askOnce(link) {
  const kept = shelf();
  if (kept.plotly || !link.visible.size || performance.now() - kept.askedAt <= ASK_AGAIN_MS) return;
  kept.askedAt = performance.now();
  link.askScript();
}

async function receive(buffer) {
  const kept = shelf();
  if (kept.plotly || kept.isLoading) return;
  kept.isLoading = true;
  try {
    const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"));
    kept.plotly = await execute(await new Response(stream).blob());
    for (const { resolve } of kept.waiting) resolve(kept.plotly);
  } catch (error) {
    for (const { reject } of kept.waiting) reject(error);
  }
  kept.isLoading = false;
  kept.waiting = [];
}

// The script sets window.Plotly; another library's copy (an older figure on the same page) gets its place back.
function execute(source) {
  return new Promise((resolve, reject) => {
    const before = window.Plotly;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      const loaded = window.Plotly;
      if (before) window.Plotly = before;
      URL.revokeObjectURL(url);
      resolve(loaded);
    };
    script.onerror = () => reject(new Error("the browser refused to run the chart script"));
    document.head.append(script);
  });
}
