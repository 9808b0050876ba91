package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	echoInitial  = "x-telemetry-echo"
	echoTrailing = "x-telemetry-echo-bin"
	details      = "grpc-status-details-bin"
	payloadOctet = "\xa5"
	largestReply = 1 << 20
)

// telemetry is the service. Its reports begin at 0 with each restart.
type telemetry struct {
	*schema
	journal *journal
	reports atomic.Uint32
}

// serve follows the commands on standard input until that ends.
func serve(schema *schema, address string) error {
	journal := &journal{connections: make(map[string]*connection)}
	server, address, err := start(schema, journal, address)
	if err != nil {
		return err
	}
	fmt.Printf("listening port=%s\n", port(address))
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		switch command := strings.TrimSpace(commands.Text()); command {
		case "stop":
			server.Stop()
			fmt.Println("stopped")
		case "restart":
			server.Stop()
			if server, _, err = start(schema, journal, address); err != nil {
				return err
			}
			fmt.Printf("restarted port=%s\n", port(address))
		case "calls":
			journal.list()
		case "":
		default:
			return fmt.Errorf("no such command: %s", command)
		}
	}
	server.Stop()
	return nil
}

func start(schema *schema, journal *journal, address string) (*grpc.Server, string, error) {
	bound, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", err
	}
	service := &telemetry{schema: schema, journal: journal}
	server := grpc.NewServer()
	server.RegisterService(service.description(), service)
	go server.Serve(listener{bound, journal})
	return server, bound.Addr().String(), nil
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// description is what protoc would have generated.
func (t *telemetry) description() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			t.unary("Report", "ReportRequest", t.report),
			t.unary("Diagnose", "DiagnoseRequest", t.diagnose),
		},
		Streams: []grpc.StreamDesc{
			{StreamName: "Subscribe", Handler: t.subscribe, ServerStreams: true},
			{StreamName: "Upload", Handler: t.upload, ClientStreams: true},
			{StreamName: "Exchange", Handler: t.exchange, ServerStreams: true, ClientStreams: true},
		},
	}
}

func (t *telemetry) unary(
	name, request string, handler func(context.Context, message) (message, error),
) grpc.MethodDesc {
	decodeAndHandle := func(
		_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor,
	) (any, error) {
		received := t.empty(request)
		if err := decode(received.Message); err != nil {
			return nil, err
		}
		reply, err := handler(ctx, received)
		return reply.Message, err
	}
	return grpc.MethodDesc{MethodName: name, Handler: decodeAndHandle}
}

func (t *telemetry) store(report message) message {
	total := t.reports.Add(1)
	return t.of("ReportReply", fields{
		"sequence":         report.number("sequence"),
		"received_unix_ms": uint64(time.Now().UnixMilli()),
		"note":             fmt.Sprintf("stored as number %d", total),
		"nonce":            report.octets("nonce"),
		"total_reports":    total,
	})
}

func (t *telemetry) report(ctx context.Context, request message) (message, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	initial, trailing := received.Get(echoInitial), received.Get(echoTrailing)
	text := fmt.Sprintf("from %q: sequence %d, %d mV", request.text("device_id"), request.number("sequence"),
		request.number("millivolts"))
	asked := fmt.Sprintf("sequence=%d metadata=%d", request.number("sequence"), len(initial)+len(trailing))
	noted := t.journal.note(ctx, "Report", text, asked)
	if err := grpc.SetHeader(ctx, metadata.MD{echoInitial: initial}); err != nil {
		return message{}, err
	}
	if err := grpc.SetTrailer(ctx, metadata.MD{echoTrailing: trailing}); err != nil {
		return message{}, err
	}
	t.journal.answer(noted)
	return t.store(request), nil
}

func (t *telemetry) diagnose(ctx context.Context, request message) (message, error) {
	code, delay := request.number("status_code"), request.number("delay_ms")
	text := fmt.Sprintf("asks for status %d after %d ms", code, delay)
	noted := t.journal.note(ctx, "Diagnose", text, fmt.Sprintf("status=%d delay_ms=%d", code, delay))
	select {
	case <-time.After(time.Duration(delay) * time.Millisecond):
	case <-ctx.Done():
		return message{}, status.FromContextError(ctx.Err()).Err()
	}
	t.journal.answer(noted)
	if code != 0 {
		if octets := request.octets("status_details"); len(octets) > 0 {
			if err := grpc.SetTrailer(ctx, metadata.Pairs(details, string(octets))); err != nil {
				return message{}, err
			}
		}
		return message{}, status.Error(codes.Code(code), request.text("status_message"))
	}
	size := min(request.number("reply_size"), largestReply)
	return t.of("DiagnoseReply", fields{"payload": []byte(strings.Repeat(payloadOctet, int(size)))}), nil
}

func (t *telemetry) subscribe(_ any, stream grpc.ServerStream) error {
	request := t.empty("SubscribeRequest")
	if err := stream.RecvMsg(request.Message); err != nil {
		return err
	}
	count, interval := request.number("count"), request.number("interval_ms")
	asked := fmt.Sprintf("count=%d interval_ms=%d", count, interval)
	noted := t.journal.note(stream.Context(), "Subscribe", asked, asked)
	for sequence := range count {
		time.Sleep(time.Duration(interval) * time.Millisecond)
		reading := t.of("Reading", fields{"sequence": sequence, "millivolts": 3300 + sequence})
		if err := stream.SendMsg(reading.Message); err != nil {
			return err
		}
	}
	t.journal.answer(noted)
	return nil
}

func (t *telemetry) upload(_ any, stream grpc.ServerStream) error {
	noted := t.journal.note(stream.Context(), "Upload", "stream", "stream=requests")
	stored := uint32(0)
	for ; ; stored++ {
		request := t.empty("ReportRequest")
		if err := stream.RecvMsg(request.Message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		t.store(request)
	}
	t.journal.answer(noted)
	reply := t.of("UploadReply", fields{"stored": stored, "total_reports": t.reports.Load()})
	return stream.SendMsg(reply.Message)
}

func (t *telemetry) exchange(_ any, stream grpc.ServerStream) error {
	noted := t.journal.note(stream.Context(), "Exchange", "stream", "stream=both")
	for {
		request := t.empty("ReportRequest")
		if err := stream.RecvMsg(request.Message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(t.store(request).Message); err != nil {
			return err
		}
	}
	t.journal.answer(noted)
	return nil
}
