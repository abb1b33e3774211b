//! What is deployed is what is tested: the Dapr files, compose.yaml and the stack say the same.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::root;

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}

/// The app ids of the agents' table.
fn agents() -> BTreeSet<String> {
    let table: Value = serde_json::from_str(&text("src/agents/table.json")).expect("JSON");
    let id = |agent: &Value| agent["app_id"].as_str().expect("an app id").to_owned();
    table.as_array().expect("a list").iter().map(id).collect()
}

/// What follows `before` in `text`, up to white space or a quote.
fn after<'a>(text: &'a str, before: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?}")).1;
    rest.split(['"', ' ', '\n', '<']).next().unwrap_or_default()
}

#[test]
fn every_agent_has_its_retries_switched_off_in_dapr() {
    let resiliency = yaml("k8s/dapr/resiliency.yaml");
    let apps = &resiliency["spec"]["targets"]["apps"];
    assert_eq!(
        names(apps),
        agents(),
        "one owner of retries: an agent without an entry is retried by Dapr too"
    );
    for (app, target) in apps.as_object().expect("an object") {
        let policy = target["retry"].as_str().expect("a policy");
        assert_eq!(resiliency["spec"]["policies"]["retries"][policy]["maxRetries"], 0, "{app}");
    }
}

#[test]
fn daprs_files_name_what_the_component_expects() {
    let manifest = text("spin.toml");
    let pubsub = yaml("k8s/dapr/kafka-pubsub.yaml");
    assert!(manifest.contains(&format!("pubsub_name = {{ default = {} }}", pubsub["metadata"]["name"])));
    let cron = yaml("k8s/dapr/maintenance-cron.yaml");
    let metadata = cron["spec"]["metadata"].as_array().expect("a list");
    let route = metadata.iter().find(|item| item["name"] == "route").expect("a route");
    assert_eq!(route["value"], "/internal/maintenance");
    for file in ["kafka-pubsub.yaml", "maintenance-cron.yaml", "resiliency.yaml"] {
        assert_eq!(yaml(&format!("k8s/dapr/{file}"))["scopes"], serde_json::json!(["triage"]), "{file}");
    }
    let listed = yaml("k8s/dapr/kustomization.yaml")["resources"].as_array().expect("a list").len();
    let files = std::fs::read_dir(root().join("k8s/dapr")).expect("the folder").count();
    assert_eq!(listed + 1, files, "every file is listed");
}

#[test]
fn compose_runs_the_same_sidecars_as_the_stack() {
    let compose = yaml("compose.yaml");
    let services = compose["services"].as_object().expect("services");
    let go = text("tests/stack/layout.go");
    let mut ids = BTreeSet::new();
    for (name, service) in services.iter().filter(|(name, _)| name.starts_with("daprd-")) {
        let words: Vec<&str> =
            service["command"].as_array().expect("a command").iter().filter_map(Value::as_str).collect();
        let value = |flag: &str| words[words.iter().position(|w| *w == flag).expect("the flag") + 1];
        assert_eq!(*name, format!("daprd-{}", value("--app-id")));
        assert_eq!(value("--resources-path"), "/dapr", "{name}");
        if value("--app-id") == "triage" {
            assert_eq!(value("--app-port"), after(&go, "triagePort     = "));
            assert_eq!(value("--dapr-http-port"), after(&go, "firstDaprPort  = "));
        } else {
            assert!(go.contains(&format!("\"{}\"", value("--app-id"))), "{name}");
            ids.insert(value("--app-id").to_owned());
        }
    }
    assert_eq!(ids, agents());
    assert_eq!(compose["x-sidecar"]["volumes"], serde_json::json!(["./k8s/dapr:/dapr:ro"]));
}

#[test]
fn compose_takes_the_versions_topics_and_variables_of_the_stack() {
    let (compose, go) = (text("compose.yaml"), text("tests/stack/layout.go"));
    let dapr = after(&text("tests/stack/daprd/go.mod"), "github.com/dapr/dapr v").to_owned();
    assert_eq!(after(&compose, "image: daprio/daprd:"), dapr);
    let broker = text("tests/stack/kafka/pom.xml");
    assert!(broker.contains(&format!("<version>{}</version>", after(&compose, "image: apache/kafka:"))));
    for (topic, partitions) in
        [("learning.events", 12), ("learning.events.security", 3), ("dead-letter.queue", 3)]
    {
        assert!(go.contains(&format!("\"{topic}\": {partitions}")), "{topic}");
        assert!(compose.contains(&format!("create {topic} {partitions}\n")), "{topic}");
    }
    let services = text("tests/stack/services.go");
    let set = |line: &str| {
        let (name, _) = line.trim().strip_prefix("SPIN_VARIABLE_")?.split_once(':')?;
        Some(name.to_lowercase())
    };
    let in_compose: BTreeSet<String> = compose.lines().filter_map(set).collect();
    let variables = services.split_once("func variables()").expect("the variables").1;
    let variables = variables.split_once("\n}").expect("their end").0;
    let name = |line: &str| Some(line.trim().strip_prefix('"')?.split_once('"')?.0.to_owned());
    assert_eq!(in_compose, variables.lines().filter_map(name).collect());
    for token in ["daprAPIToken = \"", "appAPIToken  = \"", "recordSecret = \""] {
        assert!(compose.contains(after(&go, token)), "{token}");
    }
}
