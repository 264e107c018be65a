// Package measurement is the form of docs/benchmarks/*.json: figures with the command, the machine and the day they belong to.
package measurement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Measurement is one file: figures that one command gave on one machine.
type Measurement struct {
	// Name is the file's name without its ending.
	Name string `json:"name"`
	// Title is the headline.
	Title string `json:"title"`
	// Command is what to run to measure it again.
	Command string `json:"command"`
	// Machine is what it ran on.
	Machine Machine `json:"machine"`
	// Date is the day, as 2026-11-23.
	Date string `json:"date"`
	// Repeats is how often each thing was done, where a figure's note says nothing else. A figure is the median of them.
	Repeats int `json:"repeats"`
	// Figures are the results, in the order to be shown.
	Figures []Figure `json:"figures"`
	// Tables set the figures of several things side by side. Optional.
	Tables []Table `json:"tables,omitempty"`
	// Note is what a reader must know to judge them. Optional.
	Note string `json:"note,omitempty"`
	// Runs are the single results behind the figures, in a form of the command's own. They are not shown. Optional.
	Runs json.RawMessage `json:"runs,omitempty"`
}

// Table compares things, one to a row.
type Table struct {
	// Title stands above it.
	Title string `json:"title"`
	// Columns are the headings; the first is that of the things.
	Columns []string `json:"columns"`
	// Rows have as many cells as there are columns.
	Rows [][]string `json:"rows"`
	// Note is about the table. Optional.
	Note string `json:"note,omitempty"`
}

// Machine is what a measurement ran on.
type Machine struct {
	// Cores counts processors as the operating system sees them.
	Cores int `json:"cores"`
	// Memory is such as "24 GiB".
	Memory string `json:"memory"`
	// CPU is the processor's own name. Optional: some systems hide it.
	CPU string `json:"cpu,omitempty"`
	// OS is the operating system and its architecture, as linux/amd64.
	OS string `json:"os"`
	// Go is the version of the Go toolchain.
	Go string `json:"go"`
}

// Figure is one number.
type Figure struct {
	// Name says what was measured.
	Name string `json:"name"`
	// Value is the number, or the median of several.
	Value json.Number `json:"value"`
	// Unit is such as s, MiB or evictions. Empty for a plain number.
	Unit string `json:"unit,omitempty"`
	// Spread is the least and the greatest of several, as "5.9 to 6.4". Empty for a single one.
	Spread string `json:"spread,omitempty"`
	// Note is about this figure. Optional.
	Note string `json:"note,omitempty"`
}

// String says it in one line.
func (m Machine) String() string {
	text := fmt.Sprintf("%d cores, %s", m.Cores, m.Memory)
	if m.CPU != "" {
		text += ", " + m.CPU
	}
	return fmt.Sprintf("%s, %s, %s", text, m.OS, m.Go)
}

// Read returns the measurement of a file. A key that is unknown or needed and missing is an error.
func Read(file string) (Measurement, error) {
	var m Measurement
	content, err := os.ReadFile(file)
	if err != nil {
		return m, fmt.Errorf("read a measurement: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("parse a measurement: %w", err)
	}
	return m, m.check()
}

// Save writes the measurement to NAME.json in a folder that exists. One that Read would refuse is not written.
func (m Measurement) Save(folder string) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("save measurement %s: %w", m.Name, err)
	}
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode measurement %s: %w", m.Name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, m.Name+".json"), append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("save measurement %s: %w", m.Name, err)
	}
	return nil
}

func (m Measurement) check() error {
	if m.Name == "" || m.Title == "" || m.Command == "" || len(m.Figures) == 0 {
		return errors.New("name, title, command and at least one figure are needed")
	}
	if m.Machine.Cores < 1 || m.Machine.Memory == "" || m.Machine.OS == "" || m.Machine.Go == "" {
		return errors.New("the machine's cores, memory, os and go are needed")
	}
	if m.Repeats < 1 {
		return errors.New("repeats is at least 1")
	}
	if _, err := time.Parse(time.DateOnly, m.Date); err != nil {
		return fmt.Errorf("date %q is not like 2026-11-23", m.Date)
	}
	for i, f := range m.Figures {
		if !f.complete() {
			return fmt.Errorf("figure %d (%q) needs a name and a number", i+1, f.Name)
		}
	}
	for i, t := range m.Tables {
		if !t.complete() {
			return fmt.Errorf("table %d (%q) needs a title, two columns and as many cells in each row", i+1, t.Title)
		}
	}
	return nil
}

func (f Figure) complete() bool {
	value, err := f.Value.Float64()
	return f.Name != "" && err == nil && !math.IsNaN(value) && !math.IsInf(value, 0)
}

func (t Table) complete() bool {
	crooked := func(row []string) bool { return len(row) != len(t.Columns) }
	return t.Title != "" && len(t.Columns) >= 2 && !slices.ContainsFunc(t.Rows, crooked)
}
