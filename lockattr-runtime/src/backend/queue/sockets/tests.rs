//! Heads and waiters of one queue, in one process.

use std::sync::Arc;

use super::*;

fn queue(test: &str) -> Queue {
    Queue::of_port(&format!("unit-{test}-{}", std::process::id()))
}

fn head(queue: &Queue) -> Option<ForkSocket> {
    match queue.bind().map_err(|_| "binds").unwrap() {
        Bound::Held(socket) => Some(socket),
        Bound::Taken(_) => None,
    }
}

fn joins(queue: &Queue) -> Option<ForkSocket> {
    match queue.join(ForkSocket::new().unwrap()).map_err(|_| "joins").unwrap() {
        Joined::Queued(socket) => Some(socket),
        Joined::Barred => None,
    }
}

#[test]
fn there_is_one_head_and_others_queue_while_it_is_there() {
    let queue = queue("head");
    assert!(joins(&queue).is_none());
    let first = head(&queue);
    assert!(first.is_some() && head(&queue).is_none() && joins(&queue).is_some());
    drop(first);
    assert!(head(&queue).is_some());
}

/// A head that sends what is slow to close is asked for no more than a few such things.
#[test]
fn what_comes_over_a_place_in_the_queue_counts_as_the_queues_until_it_is_closed() {
    let queue = queue("count");
    let _head = head(&queue);
    let place = joins(&queue);
    assert_eq!(Arc::strong_count(&queue.unclosed), 2);
    drop(place);
    assert_eq!(Arc::strong_count(&queue.unclosed), 1);
}
