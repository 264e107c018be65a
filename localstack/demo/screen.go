package demo

import (
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
)

// redraw is how often the screen is drawn when nothing happens, for its clocks.
const redraw = 200 * time.Millisecond

// Screen shows the story in place in a terminal.
type Screen struct {
	program *tea.Program
	done    chan struct{}
	err     error // valid once done is closed
}

// NewScreen starts to draw on a terminal. The keyboard stays with the terminal, so Ctrl-C is a signal as ever.
func NewScreen(terminal io.Writer) *Screen {
	s := &Screen{
		program: tea.NewProgram(screenModel{now: time.Now(), width: maxWidth}, tea.WithOutput(terminal), tea.WithInput(nil), tea.WithoutSignalHandler()),
		done:    make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		if _, err := s.program.Run(); err != nil {
			s.err = fmt.Errorf("draw on the terminal: %w", err)
		}
	}()
	return s
}

// Tell is the listener for a story. After the last event the screen stays as it is.
func (s *Screen) Tell(e Event) { s.program.Send(e) }

// Wait returns when the last event is drawn.
func (s *Screen) Wait() error {
	<-s.done
	return s.err
}

type tick time.Time

func nextTick() tea.Cmd { return tea.Tick(redraw, func(t time.Time) tea.Msg { return tick(t) }) }

// screenModel draws Model as bubbletea wants it.
type screenModel struct {
	story Model
	now   time.Time
	width int
}

// Init starts the clock.
func (m screenModel) Init() tea.Cmd { return nextTick() }

// Update takes in events, and quits after the last.
func (m screenModel) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tick:
		m.now = time.Time(message)
		return m, nextTick()
	case tea.WindowSizeMsg:
		m.width = message.Width
	case Event:
		m.story = m.story.Apply(message)
		if m.story.Over {
			return m, tea.Quit
		}
	}
	return m, nil
}

// View draws.
func (m screenModel) View() tea.View { return tea.NewView(View(m.story, m.now, m.width)) }
