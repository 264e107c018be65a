package stack

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPrintSteps(t *testing.T) {
	var b strings.Builder
	tell := PrintSteps(t.Context(), &b)
	tell(Step{Name: "Start etcd"})
	tell(Step{Name: "Start Cluster API"})
	tell(Step{Name: "Start etcd", Ended: true, Took: 1200 * time.Millisecond})
	tell(Step{Name: "Start Cluster API", Ended: true, Took: 2 * time.Second, Err: errors.New("no")})
	got := regexp.MustCompile(`(?m)^ +\d+\.\d+s  `).ReplaceAllString(b.String(), "")
	want := "Start etcd (1.2s)\nStart Cluster API: failed after 2.0s\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStepper(t *testing.T) {
	var told []Step
	s := stepper{tell: func(step Step) { told = append(told, step) }}
	cause := errors.New("no disk")
	if err := s.do("Start etcd", func() error { return cause }); !errors.Is(err, cause) || err.Error() != "Start etcd: no disk" {
		t.Errorf("got %v", err)
	}
	if len(told) != 2 || told[0].Ended || !told[1].Ended || !errors.Is(told[1].Err, cause) {
		t.Errorf("told %+v", told)
	}
}
