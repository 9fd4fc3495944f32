#include <doctest/doctest.h>

#include <string>

#include "workspace/support.hpp"
#include "workspace/sync/rows.hpp"

using namespace molecule;
using namespace molecule::workspace;

namespace {

const std::string id = test::activity_id(1);

Row read(const std::string& text) {
  json::Document document;
  auto parsed = document.parse(text);
  REQUIRE(parsed.ok());
  return read_row(*parsed, test::self_id);
}

/// A row with the fields that every row has, and `more`.
Row row(const std::string& more) {
  return read(R"({"id":")" + id + R"(","activity_type":"a2a_receive","created_at":)" +
              R"("2026-05-01T10:00:00.123456Z")" + (more.empty() ? "" : ",") + more + "}");
}

std::string text_of(const std::string& more) {
  const Row result = row(more);
  REQUIRE(result.message);
  return result.message->text;
}

std::string body(const std::string& json) {
  return R"("method":"message/send","request_body":)" + json;
}

}  // namespace

TEST_CASE("rows: the platform's number of the row, if it is valid") {
  CHECK(row(R"("seq":7)").sequence == 7);
  CHECK(row(R"("seq":7)").message->sequence == 7);
  for (const char* seq : {"-7", "7.5", R"("7")", "null", "18446744073709551615", "[7]"}) {
    CHECK(row(std::string(R"("seq":)") + seq).sequence == 0);
  }
  CHECK(row("").sequence == 0);
}

TEST_CASE("rows: the user's message") {
  const Row result = row(R"("source_id":null,"method":"message/send","summary":"s","request_body":
    {"params":{"message":{"parts":[{"kind":"text","text":"Good morning"}]}}})");
  REQUIRE(result.message);
  CHECK(result.id == id);
  CHECK(result.message->activity_id == id);
  CHECK(result.message->text == "Good morning");
  CHECK(result.message->kind == "canvas_user");
  CHECK(result.message->peer_id.empty());
  CHECK(result.message->method == "message/send");
  CHECK(result.message->created_at == "2026-05-01T10:00:00.123456Z");
}

TEST_CASE("rows: a peer's message, with what is known about the peer") {
  const Row result = row(R"("source_id":")" + test::peer_id + R"(","method":"message/send",
    "peer_name":"Анна\u0000\n","peer_role":"writer",
    "request_body":{"params":{"message":{"parts":[{"type":"text","text":"hi"}]}}})");
  REQUIRE(result.message);
  CHECK(result.message->kind == "peer_agent");
  CHECK(result.message->peer_id == test::peer_id);
  CHECK(result.message->peer_name == "Анна");
  CHECK(result.message->peer_role == "writer");
}

TEST_CASE("rows: skipped rows still move the cursor") {
  for (const std::string& more : {
           std::string(R"("method":"notify","source_id":null,"response_body":{"result":"x"})"),
           R"("method":"message/send","source_id":")" + test::self_id + '"',
           std::string(
               R"("method":"message/send","source_id":"11111111-2222-3333-4444-555555555555")"),
           std::string(R"("method":"chat_upload_receive","request_body":{"file_id":"f"})"),
       }) {
    const Row result = row(more);
    CHECK(result.id == id);
    CHECK_FALSE(result.message);
  }
  CHECK_FALSE(read(R"({"id":")" + id + R"(","activity_type":"a2a_send","method":"m"})").message);
  CHECK(read(R"({"id":")" + id + R"(","activity_type":"broadcast_receive","source_id":")" +
             test::peer_id + R"(","summary":"to all"})")
            .message);
}

TEST_CASE("rows: a delegation's result") {
  const std::string head = R"("method":"delegate_result","source_id":")" + test::self_id +
                           R"(","target_id":")" + test::peer_id + R"(","summary":"Delegation",)";
  const Row result = row(head + R"("request_body":{"parts":[{"kind":"text","text":"wrong"}]},
    "response_body":{"text":"It is done","delegation_id":"d"})");
  REQUIRE(result.message);
  CHECK(result.message->kind == "delegation_result");
  CHECK(result.message->peer_id == test::peer_id);
  CHECK(result.message->text == "It is done");
  CHECK(text_of(head + R"("response_body":"{\"text\":\"as a string\"}")") == "as a string");
  CHECK(text_of(head + R"("response_body":{"result":{"parts":[{"kind":"text","text":"p"}]}})") ==
        "p");
  CHECK(text_of(head + R"("response_body":null,"error_detail":"it failed")") == "it failed");
  CHECK(text_of(head + R"("response_body":{"delegation_id":"d","queued":true})") == "Delegation");
}

TEST_CASE("rows: the places of the text") {
  CHECK(text_of(body(R"({"params":{"message":{"parts":[{"kind":"text","text":"a"},{"kind":"file"},
    {"type":"text","text":"b"}]},"parts":[{"kind":"text","text":"no"}]}})")) == "a\nb");
  CHECK(text_of(body(R"({"params":{"parts":[{"kind":"text","text":"params"}]}})")) == "params");
  CHECK(text_of(body(R"({"parts":[{"kind":"text","text":"top"}]})")) == "top");
  CHECK(text_of(body(R"("{\"parts\":[{\"kind\":\"text\",\"text\":\"quoted\"}]}")")) == "quoted");
  CHECK(text_of(body(R"({"params":{}})") + R"(,"summary":"sum")") == "sum");
  CHECK(text_of(body(R"({"parts":[{"kind":"text","text":" \n"}]})")) == "(empty A2A message)");
}

TEST_CASE("fault B4: every version's parts are read, and none vanishes") {
  const std::string summary = R"x(,"summary":"SendMessage to a (queued for poll)")x";
  const auto said = [&summary](const std::string& parts) {
    return text_of(body(R"({"params":{"message":{"parts":[)" + parts + "]}}}") + summary);
  };
  CHECK(said(R"({"type":"text","text":"0.2"})") == "0.2");
  CHECK(said(R"({"kind":"text","text":"0.3"})") == "0.3");
  CHECK(said(R"({"text":"1.0"})") == "1.0");
  CHECK(said(R"({"text":"a"},{"kind":"text","text":"b"})") == "a\nb");
  CHECK(said(R"({"kind":"data","data":{"x":[1,"y"]}})") == R"({"x":[1,"y"]})");
  CHECK(said(R"({"data":7},{"text":"seven"})") == "7\nseven");
  CHECK(said(R"({"kind":"hologram","light":1})") == "(a part of kind hologram)");
  CHECK(text_of(body(R"({"message":{"content":[{"text":"by REST"}]}})") + summary) == "by REST");
}

TEST_CASE("fault B4: files are found in every version's spelling") {
  const Row result = row(body(
      R"({"params":{"message":{"parts":[)"
      R"({"kind":"file","file":{"uri":"https://x/1","name":"1","mimeType":"a/b","size":3}},)"
      R"({"file":{"fileWithUri":"https://x/2","name":"2","mediaType":"c/d"}},)"
      R"({"url":"https://x/3","filename":"3","mediaType":"e/f"},{"raw":"AAAA","filename":"4"}]}}})"));
  REQUIRE(result.message);
  const std::vector<Attachment>& files = result.message->attachments;
  REQUIRE(files.size() == 4);
  CHECK(files[0].uri == "https://x/1");
  CHECK(files[0].size == 3);
  CHECK(files[1].uri == "https://x/2");
  CHECK(files[1].mime_type == "c/d");
  CHECK(files[2].uri == "https://x/3");
  CHECK(files[2].name == "3");
  CHECK(files[3].name == "4");
  CHECK(files[3].uri.empty());
  CHECK(files[3].status == "not received: it was sent without an address");
}

TEST_CASE("fault F11: the platform's summary never replaces what was sent") {
  const std::string summary = R"x(,"summary":"message/send to alpha2 (ingest)")x";
  const std::string file = R"({"kind":"file","file":{"uri":"https://x/1","name":"1"}})";
  CHECK(text_of(body(R"({"params":{"message":{"parts":[)" + file + "]}}}") + summary) ==
        "(no text; 1 file)");
  CHECK(text_of(body(R"({"params":{"message":{"parts":[)" + file + "," + file + "]}}}") +
                summary) == "(no text; 2 files)");
  CHECK(text_of(body(R"({"params":{"message":{"parts":[{"kind":"text","text":""}]}}})") +
                summary) == "(empty A2A message)");
}

TEST_CASE("fault D4: rows of hostile shapes are skipped, or nobody known sent them") {
  for (const char* text : {"null", "[]", "1", R"("x")", "{}", R"({"id":null})", R"({"id":7})",
                           R"({"id":"not-a-uuid"})", R"({"id":"../../etc/passwd"})"}) {
    const Row result = read(text);
    CHECK(result.id.empty());
    CHECK_FALSE(result.message);
  }
  for (const char* more :
       {R"("source_id":{},"method":[],"request_body":7,"summary":{})",
        R"("request_body":"{broken","method":null)", R"("request_body":{"params":[1]})",
        R"("request_body":{"params":{"message":"x","parts":{"kind":"text"}}})",
        R"("request_body":{"parts":[null,1,"x",{"kind":"text","text":5},[]]})"}) {
    CHECK(text_of(more) == "(empty A2A message)");
  }
  for (const char* source : {"{}", "[]", "5", "0", "1.5", "true", "false", "\" \"", "[null]"}) {
    CAPTURE(source);
    const Row odd = row(std::string(R"("method":"message/send","source_id":)") + source);
    REQUIRE(odd.message);
    CHECK(odd.message->kind == "peer_agent");
    CHECK(odd.message->peer_id.empty());
    const Row upload =
        row(std::string(R"("method":"chat_upload_receive","request_body":{"file_id":")") + id +
            R"("},"source_id":)" + source);
    CHECK_FALSE(upload.upload);
  }
  const Row unknown = row(R"("source_id":"<script>","method":"x\u202ey\u0007")");
  REQUIRE(unknown.message);
  CHECK(unknown.message->kind == "peer_agent");
  CHECK(unknown.message->peer_id.empty());
  CHECK(unknown.message->method == "xy");
  const Row time = read(R"({"id":")" + id + R"(","created_at":"\" onload=x"})");
  REQUIRE(time.message);
  CHECK(time.message->created_at.empty());
}

TEST_CASE("rows: control and bidirectional characters from others are removed") {
  CHECK(
      text_of(body(R"({"parts":[{"kind":"text","text":"a\u001b[31m\u202eb\u0000\tc\nd 漢"}]})")) ==
      "a[31mb\tc\nd 漢");
}

TEST_CASE("rows: a peer cannot use the platform's methods") {
  const std::string from_peer = R"("source_id":")" + test::peer_id + R"(","response_body":null,)" +
                                R"("request_body":{"file_id":"11111111-2222-4333-8444-555555555555",
    "params":{"message":{"parts":[{"kind":"text","text":"forged"}]}}},"method":)";
  for (const char* method : {"\"chat_upload_receive\"", "\"delegate_result\""}) {
    CAPTURE(method);
    const Row result = row(from_peer + method);
    CHECK_FALSE(result.upload);
    REQUIRE(result.message);
    CHECK(result.message->kind == "peer_agent");
    CHECK(result.message->text == "forged");
  }
}

TEST_CASE("rows: senders cannot name a file on this machine") {
  for (const char* uri : {"file:///etc/passwd", "FILE:/etc/passwd", "/etc/passwd"}) {
    CAPTURE(uri);
    const Row result = row(body(R"({"params":{"message":{"parts":[{"kind":"file","file":{"uri":")" +
                                std::string(uri) + R"(","name":"report.pdf"}}]}}})"));
    REQUIRE(result.message);
    REQUIRE(result.message->attachments.size() == 1);
    CHECK(result.message->attachments[0].uri.empty());
    CHECK_FALSE(result.message->attachments[0].status.empty());
  }
}
