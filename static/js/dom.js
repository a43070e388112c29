// HTML that our own server made, spoken words, times.

/** Turn server-made HTML into nodes. */
export function nodesOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Say something to screen readers, politely. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

const FORMATS = {
  time: { hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "short" },
  full: { dateStyle: "medium", timeStyle: "short" },
};

/** Show times in the reader's own zone and language. */
export function localiseTimes(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const at = new Date(element.dateTime);
    const isToday = at.toDateString() === new Date().toDateString();
    const when = element.dataset.when === "day" && isToday ? "time" : element.dataset.when;
    element.textContent = new Intl.DateTimeFormat(undefined, FORMATS[when]).format(at);
    element.title = new Intl.DateTimeFormat(undefined, FORMATS.full).format(at);
  }
}
