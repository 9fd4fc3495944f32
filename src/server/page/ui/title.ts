// What waits for the person, in the tab's title and icon.

let shown = -1;
let plain = "";

/// A dot on the icon, drawn as a data image: the policy allows it, and no file is needed.
function icon(count: number): string {
  const dot = count > 0 ? "<circle cx='25' cy='7' r='7' fill='#e11d48' stroke='#fff' stroke-width='2'/>" : "";
  const svg =
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='#4f46e5'/>" +
    "<g stroke='#fff' stroke-width='2.2' fill='#fff'><path d='M10 20 16 10 23 19' fill='none'/><circle cx='16' cy='10' r='3.2'/>" +
    `<circle cx='10' cy='21' r='2.6'/><circle cx='23' cy='20' r='2.6'/></g>${dot}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

export function showTitle(place: string, waiting: number): void {
  const title = `${waiting > 0 ? `(${waiting}) ` : ""}${place} · Molecule`;
  if (document.title !== title) document.title = title;
  if (waiting === shown) return;
  shown = waiting;
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!link) return;
  plain ||= link.href;
  link.href = waiting > 0 ? icon(waiting) : plain;
}
