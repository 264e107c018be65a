package demo

import (
	"slices"
	"time"
)

// Model is what is known about the story so far. It is a value: Apply returns another one and never changes the old.
type Model struct {
	// Begun is when the first event happened.
	Begun time.Time
	// Steps are those that have begun, in order, and Ahead the titles of those that have not.
	Steps []StepView
	Ahead []string
	// Progress is the newest word of each object that spoke during the running step, in the order in which they first did.
	Progress []Progress
	// Pools is the newest sight of the pools; the zero value while nothing is being changed.
	Pools PoolsSeen
	// Services are those of the workload.
	Services []Service
	// Over is true after the end.
	Over bool
	// Err is why the story failed.
	Err error
}

// StepView is one step of the story.
type StepView struct {
	Title string
	Begun time.Time
	// Took is set once it has ended.
	Took  time.Duration
	Ended bool
	Err   error
	// Waterfall is what a step that made a cluster has told of it.
	Waterfall []WaterfallStep
}

// Apply returns the model after an event.
func (m Model) Apply(e Event) Model {
	switch e := e.(type) {
	case StoryBegan:
		m.Begun, m.Ahead = e.At, e.Steps
	case StepBegan:
		if len(m.Ahead) > 0 {
			m.Ahead = m.Ahead[1:]
		}
		m.Steps = append(slices.Clone(m.Steps), StepView{Title: e.Title, Begun: e.At})
		m.Progress, m.Pools = nil, PoolsSeen{}
	case StepEnded:
		m.Steps = slices.Clone(m.Steps)
		if last := len(m.Steps) - 1; last >= 0 {
			m.Steps[last].Ended, m.Steps[last].Took, m.Steps[last].Err = true, e.At.Sub(m.Steps[last].Begun), e.Err
		}
	case Progress:
		m.Progress = slices.Clone(m.Progress)
		if at := slices.IndexFunc(m.Progress, func(p Progress) bool { return p.About == e.About }); at >= 0 {
			m.Progress[at] = e
		} else {
			m.Progress = append(m.Progress, e)
		}
	case WaterfallSeen:
		m.Steps = slices.Clone(m.Steps)
		if last := len(m.Steps) - 1; last >= 0 {
			m.Steps[last].Waterfall = e.Steps
		}
	case PoolsSeen:
		m.Pools = e
	case TrafficSeen:
		m.Services = e.Services
	case Ended:
		m.Over, m.Err = true, e.Err
	}
	return m
}

// Running returns the step that has begun and not ended.
func (m Model) Running() (StepView, bool) {
	if last := len(m.Steps) - 1; last >= 0 && !m.Steps[last].Ended {
		return m.Steps[last], true
	}
	return StepView{}, false
}
