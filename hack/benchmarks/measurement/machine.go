package measurement

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// ThisMachine describes the machine that it is called on. It reads /proc and so works on Linux only.
func ThisMachine() (Machine, error) {
	total, found := value("/proc/meminfo", "MemTotal")
	kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(total, " kB"), 64)
	if !found || err != nil {
		return Machine{}, fmt.Errorf("find out how much memory there is (measuring needs Linux): MemTotal in /proc/meminfo is %q", total)
	}
	processor, _ := value("/proc/cpuinfo", "model name")
	return Machine{
		Cores: runtime.NumCPU(), Memory: fmt.Sprintf("%.0f GiB", kibibytes/(1<<20)), CPU: processor,
		OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}, nil
}

// value is the first of a key in a file of lines such as "key : value".
func value(file, key string) (string, bool) {
	f, err := os.Open(file)
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, rest, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == key {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}
