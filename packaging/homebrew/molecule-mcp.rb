class MoleculeMcp < Formula
  desc "Keep AI agents online on a Molecule platform"
  homepage "https://github.com/molecule-mcp/molecule-mcp"
  license "MIT"
  head "https://github.com/molecule-mcp/molecule-mcp.git", branch: "main"

  depends_on "asio" => :build
  depends_on "cli11" => :build
  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "scdoc" => :build
  depends_on "tomlplusplus" => :build
  depends_on "fmt"
  depends_on "openssl@3"
  depends_on "simdjson"
  depends_on "sqlite"

  uses_from_macos "curl"

  def install
    system "meson", "setup", "build", "-Dtests=false", "-Dlibrary=false", "-Dplatform=disabled",
           "-Dlibcurl=linked", *std_meson_args
    system "meson", "compile", "-C", "build", "--verbose"
    system "meson", "install", "-C", "build"
  end

  service do
    run [opt_bin/"molecule-mcp", "daemon"]
    keep_alive successful_exit: false
    process_type :background
    log_path var/"log/molecule-mcp.log"
    error_log_path var/"log/molecule-mcp.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/molecule-mcp --version")
    assert_match "WORKSPACE_ID", shell_output("#{bin}/molecule-mcp serve 2>&1 </dev/null", 2)
  end
end
