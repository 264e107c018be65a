package main

import (
	"context"
	"time"
)

// peakLook is how often memory is read; the kernel keeps the peak of the resident part only.
const peakLook = 2 * time.Second

// peaks are the most private memory that was seen, in bytes.
type peaks struct {
	stage           *stage
	stack, operator uint64
}

func (p *peaks) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.look(); err != nil {
			return err
		}
		_ = pause(ctx, peakLook)
	}
	return nil
}

func (p *peaks) look() error {
	held, err := memoryOf(p.stage.stack.record.PID)
	if err != nil {
		return err
	}
	p.stack = max(p.stack, held.private)
	if p.stage.side == plain {
		return nil
	}
	pid, err := p.stage.stack.operator()
	if err != nil {
		return err
	}
	if held, err = memoryOf(pid); err != nil {
		return err
	}
	p.operator = max(p.operator, held.private)
	return nil
}
