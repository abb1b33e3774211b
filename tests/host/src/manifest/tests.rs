use super::*;

fn with(tail: &str) -> Result<Manifest> {
    let head = r#"
        spin_manifest_version = 2
        [application]
        name = "t"
        version = "1.0.0"
        description = "d"
        authors = ["a"]
    "#;
    Manifest::parse(&format!("{head}\n{tail}"), Path::new("root"))
}

#[test]
fn what_matters_is_read_and_what_has_no_effect_is_accepted() {
    let manifest = with(
        r#"
        [variables]
        url = { default = "http://a", description = "d" }
        key = { required = true, secret = true }
        [[trigger.http]]
        id = "x"
        route = "/api/..."
        component = "web"
        executor = { type = "http" }
        [[trigger.http]]
        route = { private = true }
        component = "inner"
        [component.web]
        description = "d"
        source = "target/web.wasm"
        allowed_outbound_hosts = ["{{ url }}"]
        key_value_stores = ["default"]
        environment = { A = "b" }
        files = []
        [component.web.variables]
        url = "{{ url }}"
        [component.web.build]
        command = "make"
        watch = ["src"]
        [component.web.tool.x]
        y = 1
        [component.inner]
        source = "inner.wasm"
        "#,
    )
    .unwrap();
    let web = manifest.components.get("web").unwrap();
    assert_eq!(web.source, Path::new("root/target/web.wasm"));
    assert_eq!(web.allowed_outbound_hosts, ["{{ url }}"]);
    assert_eq!(web.key_value_stores, ["default"]);
    assert_eq!(manifest.triggers.first().unwrap().route, Route::Path("/api/...".to_owned()));
    assert_eq!(manifest.triggers.get(1).unwrap().route, Route::Private);
    assert!(manifest.variables.get("key").unwrap().secret);
}

#[test]
fn unknown_and_unsupported_keys_are_errors_that_name_key_and_component() {
    for (tail, named) in [
        ("[component.a]\nsource = \"a.wasm\"\nallowed_hosts = [\"x\"]", &["allowed_hosts", "`a`"][..]),
        ("[component.a]\nsource = \"a.wasm\"\nfiles = [\"x\"]", &["files", "`a`"]),
        ("[component.a]\nsource = \"a.wasm\"\nsqlite_databases = [\"x\"]", &["sqlite_databases", "`a`"]),
        ("[component.a]\nsource = { url = \"x\", digest = \"y\" }", &["source", "`a`"]),
        ("[component.a]\nkey_value_stores = []", &["source", "`a`"]),
        ("[[trigger.redis]]\nchannel = \"x\"", &["redis"]),
        ("[[trigger.http]]\nroute = \"/\"\ncomponent = \"b\"", &["`b`"]),
        ("[[trigger.http]]\nroute = { private = false }\ncomponent = \"b\"", &["private = true"]),
        ("[[trigger.http]]\nroute = \"/\"\nstatic_response = {}", &["number 1"]),
        ("[variables]\nv = { secret = true }", &["`v`"]),
        ("[variables]\nv = { required = true, default = \"\" }", &["`v`"]),
        ("[wat]", &["wat"]),
    ] {
        let error = format!("{:#}", with(tail).unwrap_err());
        for word in named {
            assert!(error.contains(word), "{tail}: {error}");
        }
    }
}
