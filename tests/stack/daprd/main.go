// Command daprd is Dapr's own sidecar with only the components the stack uses compiled in: the
// full one takes several times as long to build. It is used where no daprd is on the PATH.
package main

import (
	"github.com/dapr/components-contrib/bindings/cron"
	"github.com/dapr/components-contrib/nameresolution/sqlite"
	"github.com/dapr/components-contrib/pubsub/kafka"
	"github.com/dapr/dapr/cmd/daprd/app"
	bindings "github.com/dapr/dapr/pkg/components/bindings"
	nameresolution "github.com/dapr/dapr/pkg/components/nameresolution"
	pubsub "github.com/dapr/dapr/pkg/components/pubsub"
)

func main() {
	bindings.DefaultRegistry.RegisterInputBinding(cron.NewCron, "cron")
	nameresolution.DefaultRegistry.RegisterComponent(sqlite.NewResolver, "sqlite")
	pubsub.DefaultRegistry.RegisterComponent(kafka.NewKafka, "kafka")
	app.Run()
}
