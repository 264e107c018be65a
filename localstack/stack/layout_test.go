package stack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLayoutNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"":                      true, // the default
		"demo":                  true,
		"a-1":                   true,
		strings.Repeat("a", 32): true,
		strings.Repeat("a", 33): false,
		"Demo":                  false,
		"../demo":               false,
		".":                     false,
		"-a":                    false,
		"a/b":                   false,
	} {
		_, err := LayoutOf(t.TempDir(), name)
		if (err == nil) != valid {
			t.Errorf("name %q: got error %v", name, err)
		}
	}
}

// Remove deletes a whole directory, so it must be sure whose it is.
func TestRemove(t *testing.T) {
	t.Run("never used", func(t *testing.T) {
		if err := (Layout{Dir: filepath.Join(t.TempDir(), "none")}).Remove(); err != nil {
			t.Error(err)
		}
	})
	t.Run("somebody else's", func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "thesis.tex")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (Layout{Dir: dir}).Remove(); err == nil {
			t.Error("removed a directory that is not a stack's")
		}
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	})
	t.Run("in use", func(t *testing.T) {
		layout := Layout{Dir: t.TempDir()}
		held, err := acquire(layout.lock())
		if err != nil {
			t.Fatal(err)
		}
		defer held.release()
		if err := layout.Remove(); !errors.Is(err, ErrInUse) {
			t.Errorf("got %v, want ErrInUse", err)
		}
	})
}

func TestRecord(t *testing.T) {
	layout := Layout{Dir: t.TempDir()}
	if record, running, err := layout.Read(); err != nil || running || record != (Record{}) {
		t.Errorf("never used: got %+v, %v, %v", record, running, err)
	}
	want := Record{PID: 7, Started: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Management: "https://127.0.0.1:1"}
	if err := layout.write(want); err != nil {
		t.Fatal(err)
	}
	held, err := acquire(layout.lock())
	if err != nil {
		t.Fatal(err)
	}
	if record, running, err := layout.Read(); err != nil || !running || record != want {
		t.Errorf("running: got %+v, %v, %v", record, running, err)
	}
	held.release()
	if _, running, err := layout.Read(); err != nil || running {
		t.Errorf("ended: got running %v, %v", running, err)
	}
}

func TestServerNames(t *testing.T) {
	const group = "/subscriptions/s/resourceGroups/%/providers/Microsoft.ContainerService/managedClusters/"
	a := serverName(strings.ReplaceAll(group, "%", "one") + "Prod_West")
	b := serverName(strings.ReplaceAll(group, "%", "two") + "Prod_West")
	if a == b {
		t.Errorf("two clusters share the data of %s", a)
	}
	if upper := serverName(strings.ToUpper(strings.ReplaceAll(group, "%", "one") + "Prod_West")); upper != a {
		t.Errorf("the same id in other letters is %s, not %s", upper, a)
	}
	long := serverName(strings.ReplaceAll(group, "%", "one") + strings.Repeat("a", 63))
	if len(long) > 63 {
		t.Errorf("%s has %d characters", long, len(long))
	}
}
