// The telemetry service on grpc-go, in both roles:
//
//	telemetry-peer DESCRIPTOR_SET server [PORT]
//	telemetry-peer DESCRIPTOR_SET client HOST:PORT
//
// Messages are built at run time from a serialized FileDescriptorSet, so that no code has to be generated. What the
// service does is described in proto/telemetry/v1/telemetry.proto. The server takes the commands of telemetry-server and
// prints what that prints; the client prints the lines that the telemetry firmware logs.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "telemetry-peer:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("usage: telemetry-peer DESCRIPTOR_SET server [PORT] | client HOST:PORT")
	}
	schema, err := loadSchema(arguments[0])
	if err != nil {
		return err
	}
	role, rest := arguments[1], append(arguments[2:], "")
	switch role {
	case "server":
		return serve(schema, "127.0.0.1:"+rest[0])
	case "client":
		return call(schema, rest[0])
	}
	return fmt.Errorf("no such role: %q", role)
}
