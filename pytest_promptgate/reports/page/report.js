"use strict";
// The list of cases. Whatever a model, a row or a judge wrote is put on the screen as text nodes, and as nothing else.
(() => {
  const ROW = 40; // pixels of a row of the list, as in the style
  const ORDER = ["errored", "failed", "worse", "unscored", "unextracted", "skipped", "better", "new", "edited", "unchanged", "same"];
  const SIGNS = { errored: "!", failed: "✕", worse: "▼", unscored: "?", unextracted: "?", skipped: "-", better: "▲",
    new: "+", edited: "~", unchanged: "=", same: "=" };
  const BAD = new Set(["errored", "failed", "worse"]);

  const data = JSON.parse(document.getElementById("data").textContent);
  const several = data.suites.length > 1;
  const cases = data.suites.flatMap((suite, index) =>
    suite.cases.map((each) => ({ ...each, suite: index, key: `${index}/${each.i}` })));
  const place = document.getElementById("explorer");

  // make("p", {class: "quiet"}, "text", node): attributes are ours, texts are anybody's.
  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) made.setAttribute(key, String(value));
    }
    made.append(...children.filter((each) => each !== null && each !== undefined));
    return made;
  }

  const tone = (mark) => (BAD.has(mark) ? "bad" : mark === "better" ? "good" : "calm");
  const first = (list) => (list && list.length ? list[0] : {});
  const textOf = (trial, before) => (trial.y ? textOf(twin(trial, before) || {}, []) : trial.x);
  const twin = (trial, before) => (before || []).find((each) => each.s === trial.s);

  // What is searched, made when it is first needed.
  function haystack(each) {
    if (each.hay === undefined) {
      const texts = [each.i, each.e, each.p, ...(each.t || []), ...(each.n || []).flat()];
      for (const trial of [...(each.a || []), ...(each.b || [])]) {
        texts.push(trial.x, ...(trial.r || []).map((grade) => grade[2]));
      }
      each.hay = texts.filter(Boolean).join("\n").toLowerCase();
    }
    return each.hay;
  }

  // ---- what is shown: kept in the address, so that a link leads to it

  const state = { mark: "", suite: "", slice: "", search: "", open: "" };

  function fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const key of Object.keys(state)) state[key] = given.get(key) || "";
    if (!given.size && cases.some((each) => BAD.has(each.m[0]))) state.mark = ORDER.find((mark) => BAD.has(mark) && count(mark));
  }

  function toAddress() {
    const set = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
    history.replaceState(null, "", `#${set}`);
  }

  const count = (mark) => cases.filter((each) => each.m.includes(mark)).length;
  const slicesOf = (each) => [...(each.g || []), ...(each.t || []).map((name) => `tag: ${name}`)];

  function wanted(each) {
    return (!state.mark || each.m.includes(state.mark))
      && (!state.suite || String(each.suite) === state.suite)
      && (!state.slice || slicesOf(each).includes(state.slice))
      && (!state.search || haystack(each).includes(state.search.toLowerCase()));
  }

  // ---- tools above the list

  const search = make("input", { type: "search", placeholder: "Search ids, inputs, answers, reasons", "aria-label": "Search cases" });
  const buttons = new Map();
  const suites = choice("Suite", [["", "all suites"], ...data.suites.map((suite, index) => [String(index), suite.name])]);
  const slices = choice("Slice", [["", "all slices"], ...[...new Set(cases.flatMap(slicesOf))].sort().map((name) => [name, name])]);
  const told = make("p", { class: "count", role: "status" });
  const list = make("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": "Cases" });
  const shown = make("div", { class: "case", tabindex: -1, "aria-live": "polite", hidden: "" });
  let found = [];
  let at = -1;

  function choice(label, options) {
    const select = make("select", { "aria-label": label });
    for (const [value, text] of options) select.append(make("option", { value }, text));
    return select;
  }

  function tools() {
    const bar = make("div", { class: "tools" });
    for (const mark of ["", ...ORDER.filter(count)]) {
      const label = mark ? `${SIGNS[mark]} ${mark} ${count(mark)}` : `all ${cases.length}`;
      const button = make("button", { type: "button", "aria-pressed": "false" }, label);
      button.addEventListener("click", () => change({ mark }));
      buttons.set(mark, button);
      bar.append(button);
    }
    const more = make("div", { class: "tools" }, search, several ? suites : null, slices.options.length > 1 ? slices : null);
    const keys = make("p", { class: "quiet keys" });
    for (const [key, what] of [["/", "search"], ["j", "next"], ["k", "previous"], ["Enter", "open"], ["Esc", "close"]]) {
      keys.append(make("kbd", {}, key), ` ${what}  `);
    }
    place.append(bar, more, told, list, keys, shown);
  }

  function change(what) {
    Object.assign(state, what);
    toAddress();
    refresh();
  }

  function refresh() {
    for (const [mark, button] of buttons) button.setAttribute("aria-pressed", String(mark === state.mark));
    if (search.value !== state.search) search.value = state.search;
    suites.value = state.suite;
    slices.value = state.slice;
    found = cases.filter(wanted);
    at = found.findIndex((each) => each.key === state.open);
    list.style.height = `${Math.min(10, Math.max(1, found.length)) * ROW + 2}px`;
    told.textContent = `${found.length} of ${cases.length} cases`;
    draw();
    list.scrollTop = Math.max(0, (at - 2) * ROW);
    draw();
    openCase();
  }

  // ---- the list: only the rows that can be seen are in the document

  function draw() {
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const upTo = Math.min(found.length, from + Math.ceil(list.clientHeight / ROW) + 10);
    const rows = [];
    for (let index = from; index < upTo; index += 1) rows.push(row(found[index], index));
    const tall = make("div", { "aria-hidden": "true" });
    tall.style.height = `${found.length * ROW}px`;
    list.replaceChildren(tall, ...rows);
    if (at >= 0) list.setAttribute("aria-activedescendant", `row-${at}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function row(each, index) {
    const mark = each.m[0];
    const text = briefly(each);
    const made = make("div", { class: "row", role: "option", id: `row-${index}`, "aria-selected": String(index === at),
      "aria-setsize": found.length, "aria-posinset": index + 1 },
      make("span", { class: `mark ${tone(mark)}` }, `${SIGNS[mark]} ${mark}`),
      make("span", { class: "name", dir: "auto" }, each.i),
      make("span", { class: "text", dir: "auto" }, text.slice(0, 200)));
    made.style.top = `${index * ROW}px`;
    made.addEventListener("click", () => select(index, true));
    return made;
  }

  // What was answered before, and now; both from shortly before where they part.
  function briefly(each) {
    const now = textOf(first(each.a), each.b);
    const before = textOf(first(each.b), []);
    if (now === undefined || now === "") return each.p || "";
    if (before === undefined || before === now) return now;
    let same = 0;
    while (before[same] === now[same]) same += 1;
    const from = same > 30 ? before.lastIndexOf(" ", same - 15) + 1 : 0;
    const cut = from ? "… " : "";
    return `${cut}${before.slice(from, from + 60)} → ${cut}${now.slice(from)}`;
  }

  function select(index, opened) {
    if (!found.length) return;
    at = Math.max(0, Math.min(found.length - 1, index));
    const top = at * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw();
    if (opened || state.open) {
      state.open = found[at].key;
      toAddress();
      openCase();
    }
  }

  // ---- one case

  function openCase() {
    const each = cases.find((one) => one.key === state.open);
    shown.hidden = !each;
    shown.replaceChildren(...(each ? detail(each) : []));
  }

  function detail(each) {
    const title = make("h3", {});
    title.append(each.i, " ", ...each.m.map((mark) => make("span", { class: `verdict ${tone(mark)}` }, `${SIGNS[mark]} ${mark} `)));
    const facts = [several ? data.suites[each.suite].name : "", each.w, ...slicesOf(each)].filter(Boolean).join(" · ");
    const parts = make("dl", {});
    if (each.p) parts.append(...part("problem", block(each.p)));
    for (const [name, text] of each.n || []) parts.append(...part(name, block(text)));
    if (each.e !== undefined) parts.append(...part("expected", block(each.e)));
    if (each.d) parts.append(...part("before → now", diff(each.d)));
    return [title, make("p", { class: "quiet" }, facts), parts,
      make("div", { class: "sides" }, side("before", each.b, each), side("now", each.a, each))];
  }

  const part = (name, node) => [make("dt", {}, name), make("dd", {}, node)];
  const block = (text) => make("pre", { dir: "auto" }, text);

  function diff(spans) {
    const kinds = ["span", "del", "ins"];
    return make("pre", { dir: "auto" }, ...spans.map(([kind, text]) => make(kinds[kind], {}, text)));
  }

  function side(name, trials, each) {
    const made = make("div", {}, make("h3", {}, name));
    if (!trials || !trials.length) made.append(make("p", { class: "quiet" }, "nothing"));
    for (const trial of trials || []) made.append(...answer(trial, trials.length > 1, each));
    return made;
  }

  function answer(trial, several, each) {
    const text = textOf(trial, each.b);
    const facts = [several ? `sample ${trial.s}` : "", trial.o, trial.k].filter(Boolean).join(" · ");
    const grades = make("ul", { class: "grades" });
    for (const [scorer, value, reason] of trial.r || []) {
      const line = make("li", {}, make("b", {}, scorer), ` ${value}`);
      if (reason) line.append(make("span", { dir: "auto" }, `: ${reason}`));
      grades.append(line);
    }
    return [text === undefined ? make("p", { class: "quiet" }, "its text is not at hand") : block(text),
      grades, make("p", { class: "quiet" }, facts)];
  }

  // ---- keys and the rest

  function key(event) {
    const typing = event.target.matches("input, select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (typing) list.focus();
      else change({ open: "" });
    } else if (typing) {
      return;
    } else if (event.key === "/") {
      search.focus();
    } else if (event.key === "j" || (event.key === "ArrowDown" && event.target === list)) {
      select(at + 1, false);
    } else if (event.key === "k" || (event.key === "ArrowUp" && event.target === list)) {
      select(at - 1, false);
    } else if (event.key === "Enter" && event.target.closest("button, a, summary") === null && at >= 0) {
      select(at, true);
      shown.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ search: search.value }), 120);
  });
  suites.addEventListener("change", () => change({ suite: suites.value }));
  slices.addEventListener("change", () => change({ slice: slices.value }));
  list.addEventListener("scroll", () => requestAnimationFrame(draw));
  document.addEventListener("keydown", key);
  window.addEventListener("hashchange", () => { fromAddress(); refresh(); });

  fromAddress();
  tools();
  refresh();
})();
