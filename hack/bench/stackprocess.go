package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

const (
	// startPatience is how long a stack may take to be ready.
	startPatience = 3 * time.Minute
	// look is how often something is looked at that is being timed.
	look = 20 * time.Millisecond
)

// stackProcess is a running `localstack up`.
type stackProcess struct {
	dir     string
	command *exec.Cmd
	output  bytes.Buffer
	ended   chan error
	// readyAfter is how long it took from the start of the process to a stack that says it is ready.
	readyAfter time.Duration
	record     stackRecord
}

// stackRecord is what is needed of the stack's own stack.json.
type stackRecord struct {
	PID             int       `json:"pid"`
	Started         time.Time `json:"started"`
	Ready           time.Time `json:"ready"`
	Management      string    `json:"management"`
	Azure           string    `json:"azure"`
	OperatorMetrics string    `json:"operatorMetrics"`
}

// startStack starts a stack under root, with further arguments, and waits until it is ready. The stack goes on with what an earlier one has left
// there.
func startStack(ctx context.Context, root string, more ...string) (*stackProcess, error) {
	const name = "bench"
	s := &stackProcess{dir: filepath.Join(root, name), ended: make(chan error, 1)}
	s.command = exec.CommandContext(ctx, filepath.Join("bin", "localstack"), append([]string{"up", "--root", root, "--name", name}, more...)...)
	s.command.Stdout, s.command.Stderr = &s.output, &s.output
	s.command.Cancel = func() error { return s.command.Process.Signal(os.Interrupt) }
	s.command.WaitDelay = stopPatience
	began := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start the stack: %w", err)
	}
	go func() { s.ended <- s.command.Wait() }()
	err := await(ctx, startPatience, "the stack is ready", func() (bool, error) {
		select {
		case err := <-s.ended:
			s.ended <- err
			return false, fmt.Errorf("it ended: %w\n%s", err, s.output.String())
		default:
			record, err := readRecord(filepath.Join(s.dir, "stack.json"))
			s.record = record
			return err == nil && record.PID == s.command.Process.Pid && record.Ready.After(record.Started), nil
		}
	})
	s.readyAfter = time.Since(began)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// stop ends the stack as Ctrl-C does and waits for its end.
func (s *stackProcess) stop() error {
	if err := s.command.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the stack: %w", err)
	}
	select {
	case err := <-s.ended:
		s.ended <- err
		if err != nil {
			return fmt.Errorf("the stack ended: %w\n%s", err, s.output.String())
		}
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("the stack did not end within %s", stopPatience), s.command.Process.Kill())
	}
}

func (s *stackProcess) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// operator is the number of the operator's process.
func (s *stackProcess) operator() (int, error) {
	content, err := os.ReadFile(filepath.Join(s.dir, "operator", "process.json"))
	if err != nil {
		return 0, fmt.Errorf("find the operator's process: %w", err)
	}
	var process struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(content, &process); err != nil {
		return 0, fmt.Errorf("find the operator's process: %w", err)
	}
	return process.PID, nil
}

func readRecord(file string) (stackRecord, error) {
	var record stackRecord
	content, err := os.ReadFile(file)
	if err != nil {
		return record, fmt.Errorf("read the stack's record: %w", err)
	}
	if err := json.Unmarshal(content, &record); err != nil {
		return record, fmt.Errorf("read the stack's record: %w", err)
	}
	return record, nil
}

// requests are what the operator has sent to API servers so far.
type requests struct{ management, workload int }

func (s *stackProcess) requests(ctx context.Context) (requests, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.record.OperatorMetrics+"/metrics", http.NoBody)
	if err != nil {
		return requests{}, fmt.Errorf("ask the operator for its metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return requests{}, fmt.Errorf("ask the operator for its metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	management, err := url.Parse(s.record.Management)
	if err != nil {
		return requests{}, fmt.Errorf("read the management API server's address: %w", err)
	}
	return countRequests(bufio.NewScanner(response.Body), management.Host)
}

// requestsLine matches client-go's counter of requests.
var requestsLine = regexp.MustCompile(`^rest_client_requests_total\{.*host="([^"]*)".*\} ([0-9.e+]+)$`)

func countRequests(lines *bufio.Scanner, management string) (requests, error) {
	var r requests
	for lines.Scan() {
		match := requestsLine.FindStringSubmatch(lines.Text())
		if match == nil {
			continue
		}
		n, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			return r, fmt.Errorf("read the operator's metrics: %w", err)
		}
		if match[1] == management {
			r.management += int(n)
		} else {
			r.workload += int(n)
		}
	}
	return r, lines.Err()
}

// await looks until what is awaited holds.
func await(ctx context.Context, patience time.Duration, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		done, err := holds()
		if err != nil {
			return fmt.Errorf("wait until %s: %w", what, err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-ticks.C:
		}
	}
}

// pause waits in a way that an interrupt ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
