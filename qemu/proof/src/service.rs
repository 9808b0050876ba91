//! What the servers serve. Handlers are `async fn`s, as a user writes them.

use rpc_nostd::server::{Context, Interceptor, Receiver, Sender};
use rpc_nostd::{Code, MetadataEntry, Status};

use crate::proto::{Blob, Count, Item, Other, Proof};

/// Answers every method.
#[derive(Clone, Copy, Debug)]
pub struct Echo;

impl Proof for Echo {
    async fn get(&self, cx: &mut Context<'_>, request: Item) -> Result<Item, Status> {
        if cx.metadata().initial("x-bin").count() == 0 {
            cx.set_details(b"details")?;
            return Err(Status::new(Code::NOT_FOUND, "no x-bin"));
        }
        cx.add_initial(MetadataEntry::ascii("x-a", "b"))?;
        cx.add_trailing(MetadataEntry::binary("x-bin", &[1, 2]))?;
        Ok(request)
    }

    async fn watch(
        &self,
        _: &mut Context<'_>,
        request: Item,
        replies: &mut Sender<'_, Item>,
    ) -> Result<(), Status> {
        replies.send(&request).await?;
        replies.send(&request).await
    }

    async fn push(&self, _: &mut Context<'_>, requests: &mut Receiver<'_, Item>) -> Result<Count, Status> {
        let mut count = Count::default();
        while requests.next().await?.is_some() {
            count.items = count.items.wrapping_add(1);
        }
        Ok(count)
    }

    async fn chat(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Item>,
        replies: &mut Sender<'_, Count>,
    ) -> Result<(), Status> {
        replies.send_headers().await?;
        while let Some(item) = requests.next().await? {
            let items = item.number.into();
            replies.send(&Count { items }).await?;
        }
        Ok(())
    }

    async fn swap(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Blob>,
        replies: &mut Sender<'_, Blob>,
    ) -> Result<(), Status> {
        let (mut scratch, mut chunk) = ([0; 64], [0; 4]);
        if let Some(mut reader) = requests.next_large(&[1], &mut scratch).await? {
            while reader.read(&mut chunk).await? > 0 {}
            let blob: Blob = reader.finish()?;
            let mut writer = replies.send_large(&blob, &[1], 8).await?;
            writer.write(&chunk).await?;
            writer.write(&chunk).await?;
            writer.finish().await?;
        }
        Ok(())
    }
}

impl Other for Echo {
    async fn ask(&self, _: &mut Context<'_>, request: Count) -> Result<Count, Status> {
        Ok(request)
    }
}

/// Lets in whoever says so.
#[derive(Clone, Copy, Debug)]
pub struct Door;

impl Interceptor for Door {
    async fn before(&self, context: &mut Context<'_>) -> Result<(), Status> {
        let mut words = context.metadata().initial("authorization");
        if words.any(|word| word == b"let") {
            return Ok(());
        }
        Err(Status::new(Code::UNAUTHENTICATED, "say let"))
    }
}

/// All of it on one server.
pub type All = rpc_nostd::server::Intercepted<
    Door,
    rpc_nostd::server::And<crate::proto::ProofServer<Echo>, crate::proto::OtherServer<Echo>>,
>;

/// The service of all images.
#[must_use]
pub fn all() -> All {
    use rpc_nostd::server::Service as _;
    crate::proto::ProofServer::new(Echo)
        .and(crate::proto::OtherServer::new(Echo))
        .intercept(Door)
}
