package drainer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Argument is the first argument by which a program knows that it is to Serve; the second is the kubeconfig.
const Argument = "drainer"

// Process is a drainer's process that waits for its job or does it.
type Process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	log     *os.File
}

// Spawn starts this very program again as a drainer and returns when it waits for its job. Its words go to the file log.
func Spawn(ctx context.Context, kubeconfig, log string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p := &Process{command: exec.CommandContext(ctx, self, Argument, kubeconfig)}
	if p.log, err = os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("write the drainer's log: %w", err)
	}
	p.command.Stderr = p.log
	p.command.WaitDelay = time.Second
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, errors.Join(err, p.log.Close())
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, p.log.Close())
	}
	p.out = bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start a drainer: %w", err), p.log.Close())
	}
	if line, err := p.out.ReadString('\n'); err != nil || line != readyLine+"\n" {
		return nil, fmt.Errorf("the drainer said %q, not that it is ready, see %s: %w", line, log, errors.Join(err, p.end()))
	}
	return p, nil
}

// Do hands the job over. The drain begins with it.
func (p *Process) Do(job Job) error {
	if err := json.NewEncoder(p.in).Encode(job); err != nil {
		return fmt.Errorf("hand the job to %s: %w", job.Drainer, err)
	}
	return nil
}

// Wait returns the report once the process has ended.
func (p *Process) Wait() (Report, error) {
	var report Report
	err := json.NewDecoder(p.out).Decode(&report)
	if err = errors.Join(err, p.end()); err != nil {
		return report, fmt.Errorf("the drainer ended without a report, see %s: %w", p.log.Name(), err)
	}
	if report.Error != "" {
		return report, errors.New(report.Error)
	}
	return report, nil
}

func (p *Process) end() error { return errors.Join(p.in.Close(), p.command.Wait(), p.log.Close()) }
