//! The two key-value interfaces.

use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};
use spin_sdk::key_value::Store;

use crate::query::Query;

/// `spin:key-value`, asynchronous.
pub(crate) async fn spin(operation: &str, query: &Query) -> Result<String, String> {
    let label = if query.text("label").is_empty() { "default" } else { query.text("label") };
    let store = Store::open(label).await.map_err(debug)?;
    let key = query.text("k");
    match operation {
        "get" => Ok(show(store.get(key).await.map_err(debug)?)),
        "set" => store.set(key, query.text("v").as_bytes()).await.map_err(debug).map(done),
        "delete" => store.delete(key).await.map_err(debug).map(done),
        "exists" => store.exists(key).await.map_err(debug).map(|there| there.to_string()),
        "keys" => {
            let keys = store.get_keys().await.collect().await.map_err(debug)?;
            Ok(keys.join(","))
        }
        other => Err(format!("no operation {other}")),
    }
}

/// `wasi:keyvalue`, synchronous.
pub(crate) fn wasi(operation: &str, query: &Query) -> Result<String, String> {
    let label = if query.text("label").is_empty() { "default" } else { query.text("label") };
    let bucket = store::open(label).map_err(debug)?;
    let key = query.text("k");
    match operation {
        "get" => Ok(show(bucket.get(key).map_err(debug)?)),
        "set" => bucket.set(key, query.text("v").as_bytes()).map_err(debug).map(done),
        "delete" => bucket.delete(key).map_err(debug).map(done),
        "exists" => bucket.exists(key).map_err(debug).map(|there| there.to_string()),
        "list" => Ok(bucket.list_keys(None).map_err(debug)?.keys.join(",")),
        "increment" => {
            let sum = atomics::increment(&bucket, key, query.number("d")).map_err(debug)?;
            Ok(sum.to_string())
        }
        "cas" => atomics::Cas::new(&bucket, key).map_err(debug).map(|_| "cas".to_owned()),
        "batch" => batch::get_many(&bucket, &[key.to_owned()]).map_err(debug).map(|_| done(())),
        other => Err(format!("no operation {other}")),
    }
}

fn show(value: Option<Vec<u8>>) -> String {
    match value {
        Some(bytes) => format!("some:{}", String::from_utf8_lossy(&bytes)),
        None => "none".to_owned(),
    }
}

fn done((): ()) -> String {
    "done".to_owned()
}

fn debug(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
