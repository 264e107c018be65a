package nodepool

import (
	"context"
	"errors"
	"testing"

	"github.com/fleetwright/fleetwright/drain/ladder"
)

type notifierFunc func(context.Context, ladder.Notice) error

func (f notifierFunc) Notify(ctx context.Context, n ladder.Notice) error { return f(ctx, n) }

// A webhook that hangs holds no look up: what is more than may wait is dropped, and
// the end of the manager ends what is under way.
func TestNoticesHoldNobodyUp(t *testing.T) {
	t.Parallel()
	n := newNotices(notifierFunc(func(ctx context.Context, _ ladder.Notice) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	for range noticesWaiting {
		if err := n.Notify(t.Context(), ladder.Notice{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Notify(t.Context(), ladder.Notice{}); !errors.Is(err, errTooManyNotices) {
		t.Errorf("with the line full, Notify() = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.Start(ctx) }()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A notice is sent up to three times, as it was when it was put in line.
func TestNoticesAreTriedAgain(t *testing.T) {
	t.Parallel()
	sent := make(chan ladder.Notice, 10)
	n := newNotices(notifierFunc(func(_ context.Context, notice ladder.Notice) error {
		sent <- notice
		return errors.New("503")
	}))
	n.pause = 0
	first := ladder.Notice{Pod: "shop/a", Nodes: []string{"n1"}, Deadline: &ladder.NoticeDeadline{Action: "Force"}}
	if err := n.Notify(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	first.Nodes[0], first.Deadline.Action = "n2", "Wait"
	n.send(t.Context(), <-n.waiting)
	if len(sent) != noticeAttempts {
		t.Errorf("sent %d times", len(sent))
	}
	if got := <-sent; got.Nodes[0] != "n1" || got.Deadline.Action != "Force" {
		t.Errorf("sent %+v", got)
	}
}
