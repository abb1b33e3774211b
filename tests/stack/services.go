package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func redis() process {
	return process{
		name: "redis", port: redisPort, wait: 10 * time.Second,
		command: []string{"redis-server", "--bind", "127.0.0.1", "--port", fmt.Sprint(redisPort),
			"--save", "", "--appendonly", "no", "--dir", inWork("data")},
	}
}

func kafka() process {
	return process{
		name: "kafka", port: kafkaPort, wait: 120 * time.Second,
		command: append(java(), "kafka.Kafka", inWork("data", "kafka.properties")),
	}
}

func java() []string {
	return []string{"java", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", inWork("kafka", "*")}
}

func agentsProcess() process {
	self, _ := os.Executable()
	return process{name: "agents", port: controlPort, wait: 10 * time.Second, command: []string{self, "agents"}}
}

// sidecar of the app that listens on appPort; its own ports are port to port+2.
func sidecar(app string, appPort, port int, env ...string) process {
	return process{
		name: "daprd-" + app, port: port, wait: 60 * time.Second,
		command: []string{daprd(), "--app-id", app, "--app-port", fmt.Sprint(appPort), "--app-protocol", "http",
			"--dapr-listen-addresses", "127.0.0.1", "--dapr-http-port", fmt.Sprint(port),
			"--dapr-grpc-port", fmt.Sprint(port + 1), "--dapr-internal-grpc-port", fmt.Sprint(port + 2),
			"--resources-path", inRepository("k8s", "dapr"), "--config", inWork("data", "config.yaml"),
			"--enable-metrics=false", "--placement-host-address", "", "--scheduler-host-address", ""},
		env: append(env, "KAFKA_BROKERS="+loopback(kafkaPort)),
	}
}

func triageSidecar() process {
	return sidecar("triage", triagePort, firstDaprPort, "DAPR_API_TOKEN="+daprAPIToken, "APP_API_TOKEN="+appAPIToken)
}

func agentSidecar(n int) process {
	return sidecar(agents[n], firstAgentPort+n, firstDaprPort+10*(n+1))
}

// triage on Spin where STACK_SPIN names its binary, on the embedded host otherwise.
func triage() process {
	command := []string{inRepository("target", "debug", "triage-host"), "up"}
	if spin := os.Getenv("STACK_SPIN"); spin != "" {
		command = []string{spin, "up"}
	}
	command = append(command, "-f", inRepository("spin.toml"), "--listen", loopback(triagePort),
		"--runtime-config-file", inWork("data", "runtime-config.toml"))
	for name, value := range variables() {
		command = append(command, "--variable", name+"="+value)
	}
	return process{name: "triage", port: triagePort, wait: 120 * time.Second, command: command}
}

func variables() map[string]string {
	return map[string]string{
		"environment":           "production",
		"dapr_url":              "http://" + loopback(firstDaprPort),
		"dapr_api_token":        daprAPIToken,
		"app_api_token":         appAPIToken,
		"record_secret":         recordSecret,
		"jwt_keys":              jwks(),
		"rate_limit_per_minute": "100000",
	}
}

// daprd from the PATH, or the one built here.
func daprd() string {
	if found, err := exec.LookPath("daprd"); err == nil {
		return found
	}
	return inWork("bin", "daprd")
}

// processes in the order in which they are started.
func processes() []process {
	all := []process{redis(), kafka(), agentsProcess()}
	for n := range agents {
		all = append(all, agentSidecar(n))
	}
	return append(all, triageSidecar(), triage())
}

func up() error {
	if err := missing(); err != nil {
		return err
	}
	steps := []step{
		{"daprd", buildDaprd}, {"kafka's jars", fetchKafka}, {"triage", buildTriage}, {"configuration", configure},
	}
	for _, p := range processes() {
		steps = append(steps, step{p.name + fmt.Sprintf(" on %d", p.port), p.start})
		if p.name == "kafka" {
			steps = append(steps, step{"topics", createTopics})
		}
	}
	steps = append(steps, step{"triage is ready", ready})
	for n, s := range steps {
		began := time.Now()
		fmt.Printf("[%2d/%d] %-28s ", n+1, len(steps), s.name)
		if err := s.do(); err != nil {
			fmt.Println("failed")
			return err
		}
		fmt.Printf("%6.1f s\n", time.Since(began).Seconds())
	}
	fmt.Printf("the stack is up: http://%s; logs in target/stack/log; make stack-token, stack-test, stack-down\n", loopback(triagePort))
	return nil
}

type step struct {
	name string
	do   func() error
}

func down() error {
	all := processes()
	for n := len(all) - 1; n >= 0; n-- {
		if _, runs := all[n].pid(); runs {
			fmt.Println("stopping", all[n].name)
		}
		all[n].stop()
	}
	return nil
}

// missing names every program that is not there at once.
func missing() error {
	var absent []string
	for _, need := range [][2]string{
		{"redis-server", "Debian's redis-server"}, {"java", "a Java 17 runtime"}, {"mvn", "Maven"}, {"cargo", "Rust"},
	} {
		if _, err := exec.LookPath(need[0]); err != nil {
			absent = append(absent, need[0]+" ("+need[1]+")")
		}
	}
	if len(absent) > 0 {
		return fmt.Errorf("missing: %s", strings.Join(absent, ", "))
	}
	return nil
}

// buildDaprd builds the sidecar with our few components. Dapr's program refuses to start without
// one of its own sets of components, so it is built from a copy that lacks the refusal.
func buildDaprd() error {
	if path := daprd(); path != inWork("bin", "daprd") || exists(path) {
		return nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("missing: daprd on the PATH, or Go to build it")
	}
	dir := inRepository("tests", "stack", "daprd")
	if err := run(dir, "go", "mod", "download", "github.com/dapr/dapr"); err != nil {
		return err
	}
	find := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/dapr/dapr")
	find.Dir = dir
	source, err := find.Output()
	if err != nil {
		return err
	}
	copied := inWork("dapr")
	if err := os.RemoveAll(copied); err != nil {
		return err
	}
	if err := os.CopyFS(copied, os.DirFS(strings.TrimSpace(string(source)))); err != nil {
		return err
	}
	refusal := filepath.Join(copied, "cmd", "daprd", "components", "zz_notag.go")
	if err := os.WriteFile(refusal, []byte("package components\n"), 0o644); err != nil {
		return err
	}
	module := inWork("data", "daprd.mod")
	for from, to := range map[string]string{"go.mod": module, "go.sum": inWork("data", "daprd.sum")} {
		text, err := os.ReadFile(filepath.Join(dir, from))
		if err == nil {
			err = os.WriteFile(to, text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	if err := run(dir, "go", "mod", "edit", "-replace", "github.com/dapr/dapr="+copied, module); err != nil {
		return err
	}
	return run(dir, "go", "build", "-modfile", module, "-trimpath", "-ldflags", "-s -w", "-o", inWork("bin", "daprd"), ".")
}

func fetchKafka() error {
	if jars, _ := filepath.Glob(inWork("kafka", "kafka_*.jar")); len(jars) > 0 {
		return nil
	}
	return run(inRepository("tests", "stack", "kafka"), "mvn", "-q", "-B", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+inWork("kafka"))
}

func buildTriage() error {
	if err := run(root(), "make", "-s", "build"); err != nil {
		return err
	}
	return run(root(), "cargo", "build", "-q", "--workspace", "--bin", "triage-host")
}

// configure writes what depends on this machine; a broker without data is formatted.
func configure() error {
	files := map[string]string{
		"runtime-config.toml": fmt.Sprintf("[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://%s/0\"\n", loopback(redisPort)),
		"kafka.properties":    kafkaProperties(),
	}
	config, err := os.ReadFile(inRepository("tests", "stack", "config.yaml"))
	if err != nil {
		return err
	}
	files["config.yaml"] = strings.ReplaceAll(string(config), "${NAMES_DB}", inWork("data", "names.db"))
	for name, text := range files {
		if err := os.WriteFile(inWork("data", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if exists(inWork("data", "kafka", "meta.properties")) {
		return nil
	}
	format := append(java(), "kafka.tools.StorageTool", "format", "--cluster-id", "dHJpYWdlLXN0YWNrLTAwMA",
		"--config", inWork("data", "kafka.properties"), "--ignore-formatted")
	return run(root(), format[0], format[1:]...)
}

func kafkaProperties() string {
	return strings.Join([]string{
		"process.roles=broker,controller", "node.id=1",
		"controller.quorum.voters=1@" + loopback(controllerPort),
		"listeners=PLAINTEXT://" + loopback(kafkaPort) + ",CONTROLLER://" + loopback(controllerPort),
		"advertised.listeners=PLAINTEXT://" + loopback(kafkaPort),
		"controller.listener.names=CONTROLLER", "inter.broker.listener.name=PLAINTEXT",
		"log.dirs=" + inWork("data", "kafka"),
		"auto.create.topics.enable=false", "offsets.topic.replication.factor=1",
		"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
	}, "\n") + "\n"
}

// run shows a program's output only when it fails.
func run(dir, name string, arguments ...string) error {
	cmd := exec.Command(name, arguments...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(arguments, " "), err, output)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
