package main

import (
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	packageName = "telemetry.v1"
	serviceName = packageName + ".Telemetry"
)

// schema knows the messages of the package.
type schema struct {
	files *protoregistry.Files
}

func loadSchema(path string) (*schema, error) {
	octets, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(octets, &set); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	files, err := protodesc.NewFiles(&set)
	return &schema{files}, err
}

// empty makes a message by its short name.
func (s *schema) empty(name string) message {
	found, err := s.files.FindDescriptorByName(protoreflect.FullName(packageName + "." + name))
	if err != nil {
		panic(err) // The descriptor set is another service's.
	}
	return message{dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor))}
}

// fields are a message's values by their names.
type fields map[string]any

// of makes a message with these fields.
func (s *schema) of(name string, values fields) message {
	made := s.empty(name)
	for field, value := range values {
		made.Set(made.field(field), protoreflect.ValueOf(value))
	}
	return made
}

type message struct {
	*dynamicpb.Message
}

func (m message) field(name string) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(protoreflect.Name(name))
}

func (m message) number(name string) uint32 {
	return uint32(m.Get(m.field(name)).Uint())
}

func (m message) text(name string) string {
	return m.Get(m.field(name)).String()
}

func (m message) octets(name string) []byte {
	return m.Get(m.field(name)).Bytes()
}
