package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/peer"
)

// journal is what the server has seen; a restart does not clear it.
type journal struct {
	mutex       sync.Mutex
	connections map[string]*connection
	calls       []*record
	accepted    int
}

// record is one call, noted when its request has arrived whole and before its response is sent.
type record struct {
	connection     int
	method, asked  string
	answered       bool
	received, sent int64
}

// connection counts its octets.
type connection struct {
	net.Conn
	number         int
	received, sent atomic.Int64
}

func (c *connection) Read(to []byte) (int, error) {
	count, err := c.Conn.Read(to)
	c.received.Add(int64(count))
	return count, err
}

func (c *connection) Write(from []byte) (int, error) {
	count, err := c.Conn.Write(from)
	c.sent.Add(int64(count))
	return count, err
}

// listener hands out connections that the journal knows.
type listener struct {
	net.Listener
	journal *journal
}

func (l listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.journal.mutex.Lock()
	defer l.journal.mutex.Unlock()
	l.journal.accepted++
	made := &connection{Conn: inner, number: l.journal.accepted}
	l.journal.connections[inner.RemoteAddr().String()] = made
	fmt.Printf("server: connection %d accepted\n", made.number)
	return made, nil
}

// note takes down a call; asked is for programs, text for people.
func (j *journal) note(ctx context.Context, method, text, asked string) *record {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	noted := &record{method: method, asked: asked}
	if caller, ok := peer.FromContext(ctx); ok {
		if on := j.connections[caller.Addr.String()]; on != nil {
			noted.connection, noted.received, noted.sent = on.number, on.received.Load(), on.sent.Load()
		}
	}
	j.calls = append(j.calls, noted)
	fmt.Printf("server: connection %d: %s %s\n", noted.connection, method, text)
	return noted
}

// answer says that the service has given its answer.
func (j *journal) answer(noted *record) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	noted.answered = true
}

func (j *journal) list() {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for _, call := range j.calls {
		answered := "no"
		if call.answered {
			answered = "yes"
		}
		fmt.Printf("call connection=%d method=%s %s answered=%s received=%d sent=%d\n",
			call.connection, call.method, call.asked, answered, call.received, call.sent)
	}
	fmt.Println("end")
}
