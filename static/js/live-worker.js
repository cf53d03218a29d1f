// One stream of news for all tabs of this browser: HTTP/1.1 allows six connections to a server,
// so a seventh tab with its own stream would hang. Shared by live.js; speaks with it by messages.
//
// tab -> worker: {follow: [topics], after: number|null}, {leave: true}
// worker -> tab: {kind: "event"|"resync"|"denied"|"open"|"down", topic?, data?, id?}
"use strict";

const tabs = new Map(); // port -> {topics: Set, after: number|null}
let source = null;
let lastId = null; // the newest number any message carried
let pause = 1000; // before the next try, after the stream was refused
let timer = null;

function wantedTopics() {
  return [...new Set([...tabs.values()].flatMap((tab) => [...tab.topics]))].sort();
}

function tell(message) {
  for (const port of tabs.keys()) port.postMessage(message);
}

// A tab that joined after this stream began waits for the next one, which begins where it needs.
const isCovered = (tab, topics) => [...tab.topics].every((topic) => topics.includes(topic));

function close() {
  clearTimeout(timer);
  if (source) source.close();
  source = null;
}

function open() {
  close();
  const topics = wantedTopics();
  if (!topics.length) return;
  const query = new URLSearchParams(topics.map((topic) => ["topic", topic]));
  // From the oldest point any tab needs; each tab is spared what it knows already.
  const points = [...tabs.values()].map((tab) => tab.after).filter((after) => after !== null);
  if (points.length) query.set("after", Math.min(...points));
  else if (lastId !== null) query.set("after", lastId);
  const mine = new EventSource(`/live/?${query}`);
  source = mine;
  for (const topic of topics) {
    mine.addEventListener(topic, (event) => {
      const id = Number(event.lastEventId);
      lastId = id;
      for (const [port, tab] of tabs) {
        if (!isCovered(tab, topics) || (tab.after !== null && id <= tab.after)) continue;
        tab.after = id;
        if (tab.topics.has(topic)) port.postMessage({ kind: "event", topic, data: event.data, id });
      }
    });
  }
  mine.addEventListener("hello", (event) => {
    pause = 1000;
    lastId = Number(event.lastEventId);
    for (const tab of tabs.values()) {
      if (isCovered(tab, topics)) tab.after = Math.max(tab.after ?? 0, lastId);
    }
    tell({ kind: "open" });
  });
  mine.addEventListener("resync", (event) => {
    lastId = Number(event.lastEventId);
    for (const tab of tabs.values()) tab.after = lastId;
    tell({ kind: "resync" });
  });
  mine.addEventListener("denied", (event) => {
    const { topic } = JSON.parse(event.data);
    for (const [port, tab] of tabs) {
      if (topic && tab.topics.delete(topic)) port.postMessage({ kind: "denied", topic });
    }
  });
  mine.onerror = () => {
    tell({ kind: "down" });
    // While connecting the browser tries again by itself; a refused stream stays closed.
    if (mine.readyState !== EventSource.CLOSED || mine !== source) return;
    timer = setTimeout(open, pause);
    pause = Math.min(pause * 2, 30000);
  };
}

let planned = null;

function openSoon() {
  clearTimeout(planned);
  planned = setTimeout(open, 20); // a page joins with several parts at once
}

onconnect = (connected) => {
  const port = connected.ports[0];
  port.onmessage = ({ data }) => {
    const before = wantedTopics().join();
    if (data.leave) {
      tabs.delete(port);
      if (!tabs.size) close();
      return;
    }
    const known = tabs.get(port);
    tabs.set(port, { topics: new Set(data.follow), after: known ? known.after : data.after });
    const isBehind = !known && data.after !== null && lastId !== null && data.after < lastId;
    if (!source || isBehind || wantedTopics().join() !== before) openSoon();
    else if (source.readyState === EventSource.OPEN) port.postMessage({ kind: "open" });
  };
};
