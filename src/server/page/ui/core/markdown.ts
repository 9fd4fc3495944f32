// Markdown of agents as elements: marked makes HTML of it, DOMPurify leaves only plain formatting.

import DOMPurify from "dompurify";
import { marked } from "marked";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string) => text.replace(/[&<>"']/g, (letter) => escapes[letter]);

// HTML in a message is text, as it was written; a picture is a link, because loading it would tell
// its server who reads, and when.
marked.use({
  renderer: {
    html: escaped,
    image: (href: string | null, _title: string | null, text: string) =>
      `<a href="${escaped(href ?? "")}">${escaped(text || "picture")}</a>`,
  },
});

const options = {
  ALLOWED_TAGS: [
    "a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["href", "start", "align"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};

// A page behind a link must neither reach this one nor learn its address.
DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  if (!node.getAttribute("href")) return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

/// Headings of a message must not compete with those of the page, and code that scrolls must be
/// reachable by keyboard.
function settle(fragment: DocumentFragment): DocumentFragment {
  for (const heading of fragment.querySelectorAll("h1,h2,h3,h4,h5,h6")) {
    const plain = document.createElement("p");
    plain.className = "heading";
    plain.append(...heading.childNodes);
    heading.replaceWith(plain);
  }
  for (const code of fragment.querySelectorAll<HTMLElement>("pre")) {
    code.tabIndex = 0;
    code.setAttribute("role", "group");
    code.setAttribute("aria-label", "code");
  }
  return fragment;
}

export function markdown(text: string): DocumentFragment {
  let html: string;
  try {
    html = marked.parse(text, { gfm: true, breaks: true });
  } catch {
    const plain = document.createDocumentFragment();
    plain.append(text);
    return plain;
  }
  return settle(DOMPurify.sanitize(html, options));
}
