//! Waiting, by whatever timer there is.

use core::future::poll_fn;
use core::task::Poll;

use rpc_nostd::time::Timer;

/// Waits for `ms` milliseconds. With embassy alone, `embassy_time::Timer::after_millis` does.
pub(crate) async fn sleep_ms(timer: &dyn Timer, ms: u32) {
    let due = timer.now().saturating_add_millis(ms.into());
    poll_fn(|cx| {
        if timer.now() >= due {
            return Poll::Ready(());
        }
        timer.wake_at(due, cx.waker());
        Poll::Pending
    })
    .await;
}
