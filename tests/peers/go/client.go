package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	echoText     = "pump 17, hall B"
	echoOctets   = "\x00\x01\x80\xfe\xff"
	errorMessage = "sensor not calibrated: 23 °C"
	errorDetails = "\x01\x02\xff"
	streamed     = 5
	deadline     = 500 * time.Millisecond
	enough       = 20 * time.Second
)

// client makes the calls that the telemetry firmware makes.
type client struct {
	*schema
	channel *grpc.ClientConn
}

func call(schema *schema, address string) error {
	channel, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer channel.Close()
	ctx, cancel := context.WithTimeout(context.Background(), enough)
	defer cancel()
	c := client{schema, channel}
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"report", c.reports},
		{"error-status", c.errorStatus},
		{"deadline", c.deadline},
		{"subscribe", c.subscribe},
		{"upload", c.upload},
		{"exchange", c.exchange},
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			fmt.Printf("demo: fail: %s: %v\n", step.name, err)
			return err
		}
	}
	fmt.Println("demo: done")
	return nil
}

func (c client) reports(ctx context.Context) error {
	request := c.measurement(0)
	with := metadata.AppendToOutgoingContext(ctx, echoInitial, echoText, echoTrailing, echoOctets)
	var initial, trailing metadata.MD
	reply, err := c.unary(with, "Report", "ReportReply", request,
		grpc.Header(&initial), grpc.Trailer(&trailing), grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	echo := "bad"
	if slices.Equal(initial.Get(echoInitial), []string{echoText}) &&
		slices.Equal(trailing.Get(echoTrailing), []string{echoOctets}) {
		echo = "ok"
	}
	logReport(request, reply, " echo="+echo)
	if err := echoes(request, reply); err != nil {
		return err
	}
	request = c.measurement(1)
	if reply, err = c.unary(ctx, "Report", "ReportReply", request); err != nil {
		return err
	}
	logReport(request, reply, "")
	return echoes(request, reply)
}

func (c client) errorStatus(ctx context.Context) error {
	request := c.of("DiagnoseRequest", fields{
		"status_code":    uint32(codes.FailedPrecondition),
		"status_message": errorMessage,
		"status_details": []byte(errorDetails),
	})
	var trailing metadata.MD
	_, err := c.unary(ctx, "Diagnose", "DiagnoseReply", request, grpc.Trailer(&trailing))
	if err == nil {
		return errors.New("the call succeeded")
	}
	got := ""
	for _, octets := range trailing.Get(details) {
		got += octets
	}
	fmt.Printf("demo: error-status: code=%d message=%q details=%x\n", status.Code(err), status.Convert(err).Message(), got)
	return nil
}

func (c client) deadline(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	begin := time.Now()
	_, err := c.unary(ctx, "Diagnose", "DiagnoseReply", c.of("DiagnoseRequest", fields{"delay_ms": uint32(10_000)}))
	fmt.Printf("demo: deadline: code=%d after_ms=%d\n", status.Code(err), time.Since(begin).Milliseconds())
	return nil
}

func (c client) subscribe(ctx context.Context) error {
	stream, err := c.stream(ctx, "Subscribe")
	if err != nil {
		return err
	}
	request := c.of("SubscribeRequest", fields{"count": uint32(streamed), "interval_ms": uint32(5)})
	if err := errors.Join(stream.SendMsg(request.Message), stream.CloseSend()); err != nil {
		return err
	}
	readings := uint32(0)
	for ; ; readings++ {
		reading := c.empty("Reading")
		if err := stream.RecvMsg(reading.Message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if reading.number("sequence") != readings {
			return errors.New("a reading is out of order")
		}
	}
	fmt.Printf("demo: subscribe: readings=%d\n", readings)
	return nil
}

func (c client) upload(ctx context.Context) error {
	stream, err := c.stream(ctx, "Upload")
	if err != nil {
		return err
	}
	for sequence := range uint32(streamed) {
		if err := stream.SendMsg(c.measurement(sequence).Message); err != nil {
			return err
		}
	}
	reply := c.empty("UploadReply")
	if err := errors.Join(stream.CloseSend(), stream.RecvMsg(reply.Message)); err != nil {
		return err
	}
	fmt.Printf("demo: upload: stored=%d total_reports=%d\n", reply.number("stored"), reply.number("total_reports"))
	return nil
}

func (c client) exchange(ctx context.Context) error {
	stream, err := c.stream(ctx, "Exchange")
	if err != nil {
		return err
	}
	reply := c.empty("ReportReply")
	for sequence := range uint32(streamed) {
		request := c.measurement(sequence)
		if err := errors.Join(stream.SendMsg(request.Message), stream.RecvMsg(reply.Message)); err != nil {
			return err
		}
		if err := echoes(request, reply); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(c.empty("ReportReply").Message); !errors.Is(err, io.EOF) {
		return fmt.Errorf("no end after the last reply: %v", err)
	}
	fmt.Printf("demo: exchange: replies=%d total_reports=%d\n", streamed, reply.number("total_reports"))
	return nil
}

func (c client) unary(
	ctx context.Context, method, reply string, request message, options ...grpc.CallOption,
) (message, error) {
	received := c.empty(reply)
	err := c.channel.Invoke(ctx, "/"+serviceName+"/"+method, request.Message, received.Message, options...)
	return received, err
}

func (c client) stream(ctx context.Context, method string) (grpc.ClientStream, error) {
	kind := grpc.StreamDesc{ServerStreams: method != "Upload", ClientStreams: method != "Subscribe"}
	return c.channel.NewStream(ctx, &kind, "/"+serviceName+"/"+method)
}

func (c client) measurement(sequence uint32) message {
	return c.of("ReportRequest", fields{
		"device_id":         "pump-17",
		"sequence":          sequence,
		"millivolts":        3300 + sequence,
		"temperature_centi": int32(-512),
		"nonce":             binary.BigEndian.AppendUint32(nil, sequence),
	})
}

func echoes(request, reply message) error {
	if reply.number("sequence") != request.number("sequence") ||
		!bytes.Equal(reply.octets("nonce"), request.octets("nonce")) {
		return errors.New("the reply is another request's")
	}
	return nil
}

func logReport(request, reply message, more string) {
	fmt.Printf("demo: report: sequence=%d millivolts=%d total_reports=%d%s\n",
		reply.number("sequence"), request.number("millivolts"), reply.number("total_reports"), more)
}
