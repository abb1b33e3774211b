//! The guest's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{app, get, real_time_app, text};

#[tokio::test(start_paused = true)]
async fn both_generations_of_clocks_follow_virtual_time() {
    let app = app().build().await.unwrap();
    let real = std::time::Instant::now();
    assert_eq!(text(&app, "/sleep?ms=30000").await, "30000");
    assert_eq!(text(&app, "/block?ms=60000").await, "60000");
    assert_eq!(app.clock().elapsed(), Duration::from_secs(90));
    assert!(real.elapsed() < Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_starts_where_told_passes_and_jumps() {
    let app = app().virtual_time_from(Duration::from_secs(1_000_000)).build().await.unwrap();
    assert_eq!(text(&app, "/now").await, "1000000");
    app.clock().advance(Duration::from_secs(30)).await;
    assert_eq!(text(&app, "/now").await, "1000030");
    app.clock().set_offset(-3600);
    assert_eq!(text(&app, "/now").await, "996430");
    assert_eq!(text(&app, "/sleep?ms=10").await, "10", "the monotonic clock does not jump");
    app.clock().set_offset(0);
    assert_eq!(text(&app, "/now").await, "1000030");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wall_clock_jumps_under_real_time_too() {
    let app = real_time_app().build().await.unwrap();
    app.clock().set_offset(9 * 86_400);
    let now: u64 = text(&app, "/now").await.parse().unwrap();
    let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(here.abs_diff(now).abs_diff(9 * 86_400) < 60, "{now} is not nine days after {here}");
}

#[tokio::test(start_paused = true)]
async fn a_seed_makes_randomness_repeatable() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let app = app().seed(seed).build().await.unwrap();
        seen.push((text(&app, "/random").await, text(&app, "/random").await));
    }
    assert_eq!(seen.first(), seen.get(1));
    assert_ne!(seen.first(), seen.get(2));
    let (first, second) = seen.first().unwrap();
    assert_ne!(first, second);
}

#[tokio::test(start_paused = true)]
async fn an_idle_instance_is_dropped_after_a_virtual_second() {
    let app = app().build().await.unwrap();
    for (pause, seen) in [(0, "1"), (900, "2"), (1100, "1")] {
        app.clock().advance(Duration::from_millis(pause)).await;
        assert_eq!(app.request(get("/seen")).await.text(), seen, "after {pause} ms");
        // The answer is out before the instance is free again.
        app.clock().advance(Duration::from_millis(10)).await;
    }
}
