use super::*;
use redis_stand_in::RedisStandIn;

fn both() -> [Store; 2] {
    let redis = RedisStandIn::start().unwrap().store();
    [Store::in_memory(), redis]
}

#[tokio::test]
async fn values_are_kept_and_removed_on_both_back_ends() {
    for store in both() {
        assert_eq!(store.get("a").await, Ok(None));
        store.set("a", b"1").await.unwrap();
        store.set("b", b"\x00\xff").await.unwrap();
        store.set("a", b"2").await.unwrap();
        assert_eq!(store.get("a").await, Ok(Some(b"2".to_vec())));
        assert_eq!(store.get("b").await, Ok(Some(b"\x00\xff".to_vec())));
        assert_eq!(store.keys().await, Ok(vec!["a".to_owned(), "b".to_owned()]));
        store.delete("a").await.unwrap();
        store.delete("a").await.unwrap();
        assert_eq!(store.exists("a").await, Ok(false));
        assert_eq!(store.exists("b").await, Ok(true));
    }
}

#[tokio::test]
async fn a_counter_counts_alike_but_is_encoded_as_each_back_end_does() {
    for store in both() {
        assert_eq!(store.increment("n", 0).await, Ok(0));
        assert_eq!(store.exists("n").await, Ok(true), "increment by 0 creates the key");
        assert_eq!(store.increment("n", 300).await, Ok(300));
        assert_eq!(store.increment("n", -42).await, Ok(258));
        assert_eq!(store.counter("n").await, Ok(Some(258)));
        let encoded = if store.is_redis() { b"258".to_vec() } else { vec![2, 1, 0, 0, 0, 0, 0, 0] };
        assert_eq!(store.get("n").await, Ok(Some(encoded)));
    }
}

#[tokio::test]
async fn incrementing_a_value_is_told_apart_from_other_failures() {
    for store in both() {
        store.set("v", b"text").await.unwrap();
        let error = store.increment("v", 1).await.unwrap_err();
        assert!(matches!(error, StoreError::NoCounter(_)), "{error:?}");
    }
    let nowhere = Store::new("default", &StoreConfig::SqliteFile("/proc/kv.db".into())).unwrap();
    let error = nowhere.get("v").await.unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_paused_clock_stands_still_while_redis_answers() {
    let store = RedisStandIn::start().unwrap().store();
    let timer = tokio::time::sleep(std::time::Duration::from_millis(1));
    tokio::pin!(timer);
    tokio::select! {
        biased;
        done = store.set("a", b"1") => done.unwrap(),
        () = &mut timer => panic!("the clock ran ahead"),
    }
}

#[tokio::test]
async fn a_file_outlives_its_store_and_looks_as_spins_does() {
    let directory = std::env::temp_dir().join(format!("triage-host-kv-{}", std::process::id()));
    let path = directory.join("kv.db");
    let config = StoreConfig::SqliteFile(path.clone());
    Store::new("default", &config).unwrap().set("a", b"1").await.unwrap();
    assert_eq!(Store::new("default", &config).unwrap().get("a").await, Ok(Some(b"1".to_vec())));
    assert_eq!(Store::new("other", &config).unwrap().get("a").await, Ok(None));
    let connection = rusqlite::Connection::open(&path).unwrap();
    let pragma = |name: &str| -> String {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            .map(|value| format!("{value:?}"))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "Text(\"delete\")");
    assert_eq!(pragma("synchronous"), "Integer(2)");
    std::fs::remove_dir_all(directory).unwrap();
}
