// Bytes of files come with the credential, so by a call and not by a bare link.

import { response } from "./api";
import type { FileRef } from "./conversation";

// What an <img> shows without running anything of it.
const pictures = /^image\/(png|jpeg|gif|webp|avif)$/;
const previewLimit = 5_000_000;

export const isPicture = (file: FileRef) =>
  pictures.test(file.type) && file.uri !== "" && file.size <= previewLimit;

async function bytes(agent: string, file: FileRef): Promise<Blob> {
  const staged = /^platform-pending:([0-9a-f-]{36})\/([0-9a-f-]{36})$/i.exec(file.uri);
  const path = staged
    ? `workspaces/${staged[1]}/pending-uploads/${staged[2]}/content`
    : `workspaces/${agent}/chat/download?path=${encodeURIComponent(file.uri)}`;
  return (await response("GET", path)).blob();
}

/// The caller revokes it.
export async function pictureUrl(agent: string, file: FileRef): Promise<string> {
  return URL.createObjectURL(new Blob([await bytes(agent, file)], { type: file.type }));
}

/// As a download, whatever it is: shown in a tab it would be a page of this origin.
export async function download(agent: string, file: FileRef): Promise<void> {
  const blob = new Blob([await bytes(agent, file)], { type: "application/octet-stream" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function size(bytes_: number): string {
  if (bytes_ < 1000) return `${bytes_} B`;
  const units = ["kB", "MB", "GB"];
  let value = bytes_;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 1000 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
