// What the console gains where scripts run; every page is whole without. No state, nothing loaded from elsewhere.
"use strict";

// Copying: buttons stay hidden where there is no clipboard, as on a page without TLS on another machine.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy], button[data-copy-from]")) button.hidden = false;
}
// What is said when something was copied: the words are the server's.
const copied = document.body.dataset.copied ?? "";
const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (button) {
    const from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    await navigator.clipboard.writeText(from ? from.value ?? from.textContent : button.dataset.copy);
    button.classList.add("did");
    said.textContent = copied;
    setTimeout(() => { button.classList.remove("did"); said.textContent = ""; }, 1500);
    return;
  }
  // Ticks or unticks every box of a group: <button data-tick="name" data-to="true">.
  const tick = event.target.closest("button[data-tick]");
  if (tick) {
    for (const box of tick.form.querySelectorAll(`input[type=checkbox][name="${tick.dataset.tick}"]`)) {
      box.checked = tick.dataset.to === "true";
    }
  }
});
for (const button of document.querySelectorAll("button[data-tick]")) button.hidden = false;

// A form is sent once, however often its button is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

// The tab that the page is, where a narrow window shows only some of them.
const tab = document.querySelector(".tabs [aria-current]");
function centre() {
  const bar = tab.parentElement;
  bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.clientWidth) / 2;
}
if (tab) {
  centre();
  addEventListener("resize", centre);
}

// Times in the reader's own words; the server's, in UTC, stay as the tooltip.
const words = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
function tell(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  time.title = time.textContent;
  time.textContent = words.format(at);
}
for (const time of document.querySelectorAll("time[datetime]")) tell(time);

// A select that steers a form sends it at once when it is picked from by pointer. By keyboard every arrow is a pick, and
// whoever presses them is not taken away: the button that serves those without scripts comes, and Enter presses it.
for (const field of document.querySelectorAll("[data-send]")) {
  const button = field.form.querySelector("button[data-unless-sent]");
  if (button) button.hidden = true;
  let isByKey = false;
  field.addEventListener("pointerdown", () => { isByKey = false; });
  field.addEventListener("keydown", (event) => {
    isByKey = true;
    if (event.key !== "Enter" || !button || button.hidden) return;
    event.preventDefault();
    button.click();
  });
  field.addEventListener("change", () => {
    if (!isByKey) field.form.requestSubmit();
    else if (button) button.hidden = false;
  });
}

// The log, live: new rows come on top. A stream ends now and then; it is asked for again from where it was.
const rows = document.querySelector("[data-live]");
if (rows && window.EventSource) {
  const sign = document.getElementById("live");
  let last = "";
  let wait_ms = 1000;
  const listen = () => {
    const source = new EventSource(rows.dataset.live + (last ? `after=${last}` : ""));
    source.onopen = () => { wait_ms = 1000; if (sign) sign.hidden = false; };
    source.onmessage = (event) => {
      last = event.lastEventId;
      const template = document.createElement("template");
      template.innerHTML = event.data;
      const row = template.content.firstElementChild;
      for (const time of row.querySelectorAll("time[datetime]")) tell(time);
      rows.prepend(row);
      rows.closest(".card").hidden = false;
      document.getElementById("none")?.remove();
      while (rows.children.length > 200) rows.lastElementChild.remove();
    };
    source.onerror = () => {
      source.close();
      setTimeout(listen, wait_ms);
      // Refused, or nobody there: the session may be over.
      wait_ms = Math.min(2 * wait_ms, 60_000);
      if (sign && wait_ms > 2000) sign.hidden = true;
    };
  };
  listen();
}

// The log, further back: a filter that lets little through is searched for some lines at a time. The pages further back
// are fetched by themselves, one after the other, until there is a page of lines, or no more, or somebody stops it; then
// the link leads on from there.
const MAX_PIECES = 500;
const searching = document.getElementById("searching");
async function seek() {
  const lines = document.querySelector(".log > tbody");
  const stop = new AbortController();
  searching.querySelector("button").addEventListener("click", () => stop.abort());
  let found = lines.children.length;
  let next = document.querySelector("#further [rel=next]");
  for (let pieces = 0; next && found < searching.dataset.rows && pieces < MAX_PIECES; pieces += 1) {
    let page;
    try {
      const answer = await fetch(next.getAttribute("href"), { signal: stop.signal });
      if (!answer.ok || answer.redirected) return;
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { return; }
    for (const time of page.querySelectorAll("time[datetime]")) tell(time);
    const more = page.querySelectorAll(".log > tbody > tr");
    found += more.length;
    lines.append(...more);
    lines.closest(".card").hidden = lines.children.length === 0;
    const [none, further, its] = ["none", "further", "searching"].map((id) => page.getElementById(id));
    if (!further) return;
    further.hidden = true;
    document.getElementById("further").replaceWith(further);
    if (none) none.hidden = true;
    document.getElementById("none")?.replaceWith(...(none && found === 0 ? [none] : []));
    if (its) searching.firstElementChild.replaceWith(its.firstElementChild);
    next = its && further.querySelector("[rel=next]");
  }
}
function show(isBusy) {
  searching.hidden = !isBusy;
  for (const id of ["none", "further"]) document.getElementById(id)?.toggleAttribute("hidden", isBusy);
}
if (searching) {
  show(true);
  // Said once, if it takes its time, and when it is over.
  const begun = setTimeout(() => { said.textContent = searching.firstElementChild.textContent; }, 1000);
  seek().finally(() => {
    clearTimeout(begun);
    const held = searching.contains(document.activeElement);
    show(false);
    if (held) (document.querySelector("#further [rel=next]") ?? document.getElementById("page")).focus();
    const result = document.querySelector("#none > p, #searched");
    said.textContent = result ? result.textContent : searching.dataset.ended;
  });
}

// Copying a program with its secret, which the page does not hold: the form is sent, and the answer is what is copied.
if (navigator.clipboard) for (const button of document.querySelectorAll("button[data-copy-sent]")) button.hidden = false;
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy-sent]");
  if (!button) return;
  const data = new URLSearchParams(new FormData(button.form));
  data.set("action", button.dataset.copySent);
  // Not `form.action`: that is the field of this name, where there is one.
  const answer = await fetch(button.form.getAttribute("action"), { method: "POST", body: data });
  if (!answer.ok || answer.redirected) { button.form.requestSubmit(); return; }
  await navigator.clipboard.writeText(await answer.text());
  const name = button.textContent;
  button.textContent = copied;
  said.textContent = copied;
  setTimeout(() => { button.textContent = name; said.textContent = ""; }, 1500);
});

// A search that narrows what stands on the page while it is typed; without scripts the form is sent.
const search = document.querySelector("input[data-narrows]");
if (search) {
  search.addEventListener("input", () => {
    const sought = search.value.toLowerCase().split(/\s+/);
    for (const group of document.querySelectorAll("[data-group]")) {
      for (const one of group.querySelectorAll("li")) {
        one.hidden = !sought.every((word) => one.textContent.toLowerCase().includes(word));
      }
      group.hidden = !group.querySelector("li:not([hidden])");
    }
  });
}
