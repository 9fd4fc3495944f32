import { h } from "preact";

// Strokes on a 24-unit square.
const shapes = {
  agents: "M4 7a3 3 0 1 0 6 0 3 3 0 1 0-6 0M2.5 19c0-3 2-5 4.500-5s4.500 2 4.500 5M14 5h7.500M14 10h7.500M14 15h7.500",
  map: "M12 4.500a2 2 0 1 0 .01 0M5 17a2 2 0 1 0 .01 0M19 17a2 2 0 1 0 .01 0M11 8.500 6.500 17M13 8.500l4.500 8.500M7 19h10",
  inbox: "M4 13 6.500 5h11L20 13v6H4zM4 13h4.500l1.500 3h4l1.500-3H20",
  talk: "M4 5h11v8H9l-4 3v-3H4zM17.500 9H20v7h-1v3l-4-3h-4v-1",
  activity: "M3 12h4l3-7 4 14 3-7h4",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  search: "M4 10.500a6.500 6.500 0 1 0 13 0 6.500 6.500 0 1 0-13 0M15.500 15.500 20 20",
  plus: "M12 5v14M5 12h14",
  send: "M5 12 4 4l17 8-17 8 1-8zM5 12h8",
  attach: "M8 12.500 14 6.500a3 3 0 0 1 4.500 4L10.500 18.500a5 5 0 0 1-7-7L11 4",
  close: "M6 6l12 12M18 6 6 18",
  back: "M14 5l-7 7 7 7",
  copy: "M8 8h11v12H8zM5 15V4h11",
  check: "M4 12.500l5 5L20 6.500",
  download: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  retry: "M19 8a8 8 0 1 0 1 6M19.500 3.500V8H15",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  shield: "M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM9 12l2.500 2.500L15.500 10",
  arrow: "M5 12h14M14 7l5 5-5 5",
  down: "M6 10l6 6 6-6",
} as const;

export type IconName = keyof typeof shapes;

/// An ornament: what it stands for is said in words beside it.
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={shapes[name]} />
  </svg>
);
