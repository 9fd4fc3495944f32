#include <doctest/doctest.h>

#include "server/http/multipart.hpp"

using molecule::server::field_parameter;
using molecule::server::FormPart;
using molecule::server::parse_form;

namespace {

constexpr std::string_view type = "multipart/form-data; boundary=AaB";
const std::string two =
    "--AaB\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a b.txt\"\r\n"
    "Content-Type: text/plain\r\n\r\none\r\n--AaB\r\n"
    "content-disposition: form-data; name=other\r\n\r\n\r\n--AaB--\r\n";

}  // namespace

TEST_CASE("parts are found with their names and types") {
  const auto parts = parse_form(type, two, 10);
  REQUIRE(parts.has_value());
  REQUIRE(parts->size() == 2);
  CHECK(parts->at(0).name == "files");
  CHECK(parts->at(0).filename == "a b.txt");
  CHECK(parts->at(0).content_type == "text/plain");
  CHECK(parts->at(0).content == "one");
  CHECK(parts->at(1).name == "other");
  CHECK_FALSE(parts->at(1).filename.has_value());
  CHECK(parts->at(1).content.empty());
}

TEST_CASE("contents are kept byte for byte, including look-alikes of boundaries") {
  const std::string content = std::string("\0\r\n--AaC\r\n\xFF--AaB\r\n\r\n", 21);
  const std::string body = "preamble\r\n--AaB \t\r\n\r\n" + content + "\r\n--AaB--";
  const auto parts = parse_form("Multipart/Form-Data; charset=x; boundary=\"AaB\"", body, 10);
  REQUIRE(parts.has_value());
  REQUIRE(parts->size() == 1);
  CHECK(parts->at(0).content == content);
}

TEST_CASE("a form that is cut anywhere is refused") {
  CHECK_FALSE(parse_form("application/json", two, 10));
  CHECK_FALSE(parse_form("multipart/form-data", two, 10));
  CHECK_FALSE(parse_form("multipart/form-data; boundary=", two, 10));
  CHECK_FALSE(parse_form("multipart/form-data; boundary=" + std::string(71, 'x'), two, 10));
  CHECK_FALSE(parse_form("multipart/mixed; boundary=AaB", two, 10));
  CHECK_FALSE(parse_form(type, "", 10));
  const std::size_t whole = two.rfind("--") + 2;
  for (std::size_t size = 0; size < whole; ++size) {
    CHECK_FALSE(parse_form(type, std::string_view(two).substr(0, size), 10));
  }
  CHECK(parse_form(type, std::string_view(two).substr(0, whole), 10).has_value());
  CHECK_FALSE(parse_form(type, "--AaB\r\nno colon\r\n\r\nx\r\n--AaB--", 10));
  CHECK_FALSE(
      parse_form(type, "--AaB\r\nA: " + std::string(9000, 'x') + "\r\n\r\n\r\n--AaB--", 10));
}

TEST_CASE("a flood of parts ends after one too many") {
  std::string body = "--AaB";
  for (int i = 0; i < 1000; ++i) body += "\r\n\r\n\r\n--AaB";
  const auto parts = parse_form(type, body + "--", 5);
  REQUIRE(parts.has_value());
  CHECK(parts->size() == 6);
}

TEST_CASE("quoted and unquoted parameters of fields") {
  CHECK(field_parameter(R"(form-data; name="a;b\"c"; Filename=x y)", "name") == "a;b\"c");
  CHECK(field_parameter(R"(form-data; name="a"; Filename= x y )", "filename") == "x y");
  CHECK_FALSE(field_parameter("form-data; name", "filename").has_value());
  CHECK(field_parameter("form-data; name", "name") == "");
  CHECK(field_parameter("a; b=\"", "b") == "");
  CHECK(field_parameter("a; b=\"\\", "b") == "\\");
  CHECK_FALSE(field_parameter("", "b").has_value());
}
