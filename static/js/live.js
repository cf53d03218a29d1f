// Live parts of a page. `<section id="board" data-live="race:12" data-live-get="/races/12/board">`
// is fetched anew whenever something is published on its topic (several: separated by spaces).
// Without data-live-get the element only receives the DOM event "live:news" with {topic, data, id}.
// Two tabs or ten share one stream; where streams fail the parts are fetched every 15 seconds.
"use strict";

(() => {
  const meta = document.querySelector("meta[name=live]");
  if (!meta || !window.EventSource) return;
  const POLL_MS = 15000;
  // What this page's data is as new as; absent when the server could not tell.
  const position = meta.content === "" ? null : Number(meta.content);
  let channel = null;
  let isDown = true;
  let isFirstOpen = true;

  // -- parts -------------------------------------------------------------------------------------

  const states = new WeakMap(); // element -> {isFetching, isStale}
  const topicsOf = (part) => part.dataset.live.split(/\s+/).filter(Boolean);
  const parts = () => [...document.querySelectorAll("[data-live]")];

  const isTypedIn = (part) => {
    const field = document.activeElement;
    return field && part.contains(field) && field.matches("input, select, textarea");
  };

  function refresh(part) {
    if (!part.dataset.liveGet || !part.isConnected) return;
    const state = states.get(part) || {};
    states.set(part, state);
    state.isStale = true;
    // Not under the fingers of whoever types, not twice at once, not for a tab nobody sees.
    if (state.isFetching || document.hidden || isTypedIn(part)) return;
    state.isFetching = true;
    state.isStale = false;
    const how = { source: part, target: part, swap: part.dataset.liveSwap || "outerHTML" };
    htmx
      .ajax("GET", part.dataset.liveGet, how)
      .catch(() => {})
      .finally(() => {
        state.isFetching = false;
        const heir = part.isConnected ? part : part.id && document.getElementById(part.id);
        if (state.isStale && heir) refresh(heir);
      });
  }

  // Whoever began to type while the part was on its way keeps the page as it is, too.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const part = detail.requestConfig?.elt;
    const state = part && states.get(part);
    if (!state?.isFetching || !isTypedIn(part)) return;
    detail.shouldSwap = false;
    state.isStale = true;
  });

  const refreshAll = () => parts().forEach(refresh);
  const refreshStale = () => parts().filter((part) => states.get(part)?.isStale).forEach(refresh);

  function hear(message) {
    if (message.kind === "event") {
      const detail = { topic: message.topic, data: JSON.parse(message.data), id: message.id };
      for (const part of parts()) {
        if (!topicsOf(part).includes(message.topic)) continue;
        part.dispatchEvent(new CustomEvent("live:news", { bubbles: true, detail }));
        refresh(part);
      }
    } else if (message.kind === "resync") {
      refreshAll();
    } else if (message.kind === "open") {
      // The server did not say how new this page is: look once what happened meanwhile.
      if (isFirstOpen && position === null) refreshAll();
      isFirstOpen = isDown = false;
    } else if (message.kind === "down") {
      isDown = true;
    }
    document.documentElement.dataset.liveState = isDown ? "down" : "open";
    for (const source of sources) source.hear(message);
  }

  // -- the channel: a shared worker, or where there is none the same code's job in this tab --------

  class Direct {
    constructor() {
      this.after = position;
      this.topics = [];
    }
    follow(topics) {
      this.topics = topics;
      clearTimeout(this.planned);
      this.planned = setTimeout(() => this.open(), 20);
    }
    open() {
      this.close();
      if (!this.topics.length) return;
      const query = new URLSearchParams(this.topics.map((topic) => ["topic", topic]));
      if (this.after !== null) query.set("after", this.after);
      const stream = (this.stream = new EventSource(`/live/?${query}`));
      const pass = (kind, topic) => (event) => {
        if (event.lastEventId) this.after = Number(event.lastEventId);
        hear({ kind, topic, data: event.data, id: this.after });
      };
      for (const topic of this.topics) stream.addEventListener(topic, pass("event", topic));
      stream.addEventListener("hello", pass("open"));
      stream.addEventListener("resync", pass("resync"));
      stream.addEventListener("denied", pass("denied"));
      stream.onerror = () => {
        hear({ kind: "down" });
        if (stream.readyState === EventSource.CLOSED && stream === this.stream) {
          this.planned = setTimeout(() => this.open(), POLL_MS);
        }
      };
    }
    close() {
      clearTimeout(this.planned);
      if (this.stream) this.stream.close();
    }
  }

  class Shared {
    constructor() {
      this.port = new SharedWorker(meta.dataset.worker, "racecontrol-live").port;
      this.port.onmessage = ({ data }) => hear(data);
    }
    follow(topics) {
      this.port.postMessage({ follow: topics, after: position });
    }
    close() {
      this.port.postMessage({ leave: true });
    }
  }

  function makeChannel() {
    try {
      return new Shared();
    } catch {
      return new Direct(); // no shared workers here, or not allowed
    }
  }

  let followed = "";

  function followAll() {
    const topics = new Set(parts().flatMap(topicsOf));
    for (const source of sources) source.topics.forEach((topic) => topics.add(topic));
    const wanted = [...topics].sort();
    if (wanted.join() === followed) return;
    followed = wanted.join();
    channel ||= makeChannel();
    channel.follow(wanted);
  }

  // -- htmx's own sse extension goes the same way: hx-ext="sse" sse-connect="/live/?topic=a" -------

  const sources = new Set();

  class Source extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
      this.readyState = 0;
      this.topics = new URL(url, location).searchParams.getAll("topic");
      sources.add(this);
      queueMicrotask(followAll);
    }
    hear(message) {
      if (message.kind === "open" && this.readyState !== 1) {
        this.readyState = 1;
        this.onopen?.(new Event("open"));
      } else if (message.kind === "event" && this.topics.includes(message.topic)) {
        const event = { data: message.data, lastEventId: String(message.id) };
        this.dispatchEvent(new MessageEvent(message.topic, event));
      }
    }
    close() {
      this.readyState = 2;
      sources.delete(this);
      queueMicrotask(followAll);
    }
  }

  // -- life of the page ----------------------------------------------------------------------------

  htmx.createEventSource = (url) => new Source(url);
  htmx.onLoad(followAll); // at the start and for every swapped part
  document.addEventListener("visibilitychange", refreshStale);
  document.addEventListener("focusout", () => setTimeout(refreshStale, 100));
  setInterval(() => isDown && channel && refreshAll(), POLL_MS);
  addEventListener("pagehide", () => {
    channel?.close();
    channel = null;
    followed = "";
  });
  addEventListener("pageshow", (event) => event.persisted && (followAll(), refreshAll()));
})();
