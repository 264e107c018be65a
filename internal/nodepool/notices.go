package nodepool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/fleetwright/fleetwright/drain/ladder"
)

const (
	// noticesWaiting is how many notices may wait to be sent. More are dropped: the
	// events for the owners stand, and the next hour has notices again.
	noticesWaiting = 1000
	noticeWorkers  = 4
	noticeAttempts = 3
	// noticePause is how long a notice that could not be sent waits for the next attempt.
	noticePause = 5 * time.Second
)

var errTooManyNotices = errors.New("too many notices of blocked drains wait for the webhook: this one is dropped")

// notices send what a notifier is to hear beside the looks, which a webhook that is
// slow must not hold up. It is a Notifier and a manager's Runnable; what waits when
// the manager ends is lost.
type notices struct {
	to      ladder.Notifier
	waiting chan ladder.Notice
	pause   time.Duration
}

func newNotices(to ladder.Notifier) *notices {
	return &notices{to: to, waiting: make(chan ladder.Notice, noticesWaiting), pause: noticePause}
}

// Notify puts the notice in line and returns at once. Its one error is that the line
// is full.
func (n *notices) Notify(_ context.Context, notice ladder.Notice) error {
	notice.Nodes = slices.Clone(notice.Nodes)
	if notice.Deadline != nil {
		notice.Deadline = new(*notice.Deadline)
	}
	select {
	case n.waiting <- notice:
		return nil
	default:
		return errTooManyNotices
	}
}

// Start sends until ctx ends.
func (n *notices) Start(ctx context.Context) error {
	var workers sync.WaitGroup
	for range noticeWorkers {
		workers.Go(func() { n.work(ctx) })
	}
	workers.Wait()
	return nil
}

func (n *notices) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case notice := <-n.waiting:
			n.send(ctx, notice)
		}
	}
}

func (n *notices) send(ctx context.Context, notice ladder.Notice) {
	for attempt := 1; ; attempt++ {
		err := n.to.Notify(ctx, notice)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == noticeAttempts {
			logf.FromContext(ctx).Error(err, "A notice of a blocked drain could not be sent", "drain", notice.Drain, "pod", notice.Pod)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(n.pause):
		}
	}
}
