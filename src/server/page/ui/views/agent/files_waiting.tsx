import { h } from "preact";
import { get } from "../../core/api";
import { readFiles, type FileRef } from "../../core/conversation";
import { record } from "../../core/decode";
import { size } from "../../core/files";
import { Resource } from "../../core/resource";
import { View } from "../../parts/view";

/// Files that the agent has not fetched yet.
export class FilesWaiting extends View<{ agent: string }> {
  private readonly files = new Resource<FileRef[]>("the files", async () =>
    readFiles(record(await get(`page/files?agent=${this.props.agent}`)).files), `files ${this.props.agent}`);

  resources() {
    return [this.files] as Resource<unknown>[];
  }
  render() {
    const files = this.files.data ?? [];
    if (this.files.missing) return null;
    return (
      <section class="card" aria-label="Files waiting">
        <h2>Files waiting</h2>
        {files.length === 0
          ? <p class="hint">{this.files.error || "No file waits for the agent."}</p>
          : (
            <ul class="plain-list">
              {files.map((file) => (
                <li><bdi>{file.name}</bdi> <span class="dim">{size(file.size)}</span></li>
              ))}
            </ul>
          )}
      </section>
    );
  }
}
