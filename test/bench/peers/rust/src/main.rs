//! A minimal server on the official Rust SDK, with the fastest transport that it has.
use rmcp::{
    ServerHandler, ServiceExt, tool, tool_handler, tool_router, transport::io::stdio_pipes,
};

#[derive(Clone)]
struct Peer;

#[tool_router]
impl Peer {
    #[tool(description = "An empty inbox")]
    async fn inbox_peek(&self) -> String {
        "[]".into()
    }
}

#[tool_handler]
impl ServerHandler for Peer {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Peer.serve(stdio_pipes()).await?.waiting().await?;
    Ok(())
}
