package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// packetSize is more than any request or reply has.
const packetSize = 4096

// Bring makes a port of this machine's 127.0.0.1 available inside at the same address. A port that is there already is no
// error.
func (s *Sandbox) Bring(port int) error {
	s.mu.Lock()
	have := s.brought[port] != nil
	s.mu.Unlock()
	if have {
		return nil
	}
	listener, err := s.ask(request{Port: port})
	if err != nil {
		return fmt.Errorf("bring port %d into the sandbox: %w", port, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brought[port] = listener
	if s.life.Err() != nil {
		return listener.Close()
	}
	go relay(s.life, listener, loopback(port))
	return nil
}

// ask sends one request and returns the listener that comes with the reply, if any.
func (s *Sandbox) ask(r request) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	packet, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if _, err := s.control.Write(packet); err != nil {
		return nil, fmt.Errorf("ask the process inside: %w", err)
	}
	packet, space := make([]byte, packetSize), make([]byte, unix.CmsgSpace(4))
	n, have, _, _, err := s.control.ReadMsgUnix(packet, space)
	if err != nil {
		return nil, fmt.Errorf("hear from the process inside: %w", err)
	}
	if n == 0 {
		return nil, errors.New("the process inside has ended")
	}
	var answer reply
	if err := json.Unmarshal(packet[:n], &answer); err != nil {
		return nil, fmt.Errorf("understand the process inside: %w", err)
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	if have == 0 {
		return nil, nil
	}
	return takeListener(space[:have])
}

func takeListener(space []byte) (net.Listener, error) {
	messages, err := unix.ParseSocketControlMessage(space)
	if err != nil {
		return nil, fmt.Errorf("read what came with the reply: %w", err)
	}
	if len(messages) != 1 {
		return nil, fmt.Errorf("%d things came with the reply, not one socket", len(messages))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("take the socket that came with the reply (%d): %w", len(fds), err)
	}
	return tcpListener(fds[0])
}

// serve answers requests until the process outside hangs up. begin is closed when the programs are to start.
func serve(ctx context.Context, control *net.UnixConn, begin chan<- struct{}) error {
	for {
		packet := make([]byte, packetSize)
		n, err := control.Read(packet)
		if err != nil || n == 0 {
			return errors.New("the process outside has gone")
		}
		var r request
		if err := json.Unmarshal(packet[:n], &r); err != nil {
			return fmt.Errorf("understand the process outside: %w", err)
		}
		if r.Port == 0 {
			close(begin)
			err = answer(control, reply{}, nil)
		} else {
			err = openPort(ctx, control, r.Port)
		}
		if err != nil {
			return fmt.Errorf("answer the process outside: %w", err)
		}
	}
}

// openPort listens inside and gives the listener away: connections are relayed from outside.
func openPort(ctx context.Context, control *net.UnixConn, port int) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", loopback(port))
	if err != nil {
		return answer(control, reply{Error: err.Error()}, nil)
	}
	defer func() { _ = listener.Close() }() // the file is a copy
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return answer(control, reply{Error: err.Error()}, nil)
	}
	defer func() { _ = file.Close() }()
	return answer(control, reply{}, unix.UnixRights(int(file.Fd())))
}

func answer(control *net.UnixConn, r reply, rights []byte) error {
	packet, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, _, err = control.WriteMsgUnix(packet, rights, nil)
	return err
}
