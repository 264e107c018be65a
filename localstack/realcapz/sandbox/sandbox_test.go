package sandbox

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// insider is the first argument with which the test binary plays the program inside.
const insider = "insider"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Command:
			os.Exit(Main())
		case insider:
			os.Exit(playInsider(os.Args[2], os.Args[3]))
		}
	}
	os.Exit(m.Run())
}

// playInsider listens on all interfaces, as the real managers do, and answers with what it reads from upstream. At /quit it
// ends.
func playInsider(port, upstream string) int {
	quit := make(chan struct{})
	http.HandleFunc("/quit", func(http.ResponseWriter, *http.Request) {
		fmt.Println("told to quit")
		close(quit)
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		from := upstream
		if other := r.URL.Query().Get("from"); other != "" {
			from = other
		}
		response, err := http.Get("http://" + from)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = response.Body.Close() }()
		_, _ = io.WriteString(w, "inside heard: ")
		_, _ = io.Copy(w, response.Body)
	})
	go func() { fmt.Println(http.ListenAndServe(":"+port, nil)) }()
	<-quit
	return 3
}

type setting struct {
	box    *Sandbox
	port   int    // inside
	door   string // where the port is reached
	log    string
	cancel context.CancelFunc
}

func start(t *testing.T) setting {
	t.Helper()
	outside, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	upstream := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello from outside")
	})}
	go func() { _ = upstream.Serve(outside) }()
	t.Cleanup(func() { _ = upstream.Close() })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := setting{port: freePort(t), log: filepath.Join(t.TempDir(), "log")}
	door, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.door = door.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.box, err = Start(ctx, Options{
		Programs: []Program{{Name: "insider", Args: []string{self, insider, strconv.Itoa(s.port), outside.Addr().String()}, Env: os.Environ(), Log: s.log}},
		Bring:    []int{outside.Addr().(*net.TCPAddr).Port},
		Expose:   []Door{{Listener: door, Port: s.port}},
	})
	if err := door.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-s.box.Done()
	})
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

// ask polls until the program inside answers.
func ask(t *testing.T, url string) string {
	t.Helper()
	var answer string
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		response, err := http.Get(url)
		if err != nil {
			return false, nil
		}
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		answer = string(content)
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("ask %s: %v", url, err)
	}
	return answer
}

func TestOnlyRelayedPortsConnectInsideAndOutside(t *testing.T) {
	s := start(t)
	if got := ask(t, "http://"+s.door); got != "inside heard: hello from outside" {
		t.Errorf("the program inside answers %q", got)
	}
	if conn, err := net.Dial("tcp4", loopback(s.port)); err == nil {
		_ = conn.Close()
		t.Error("the program inside listens on this machine's interfaces as well")
	}
	s.cancel()
	<-s.box.Done()
	if err := s.box.Wait(); err != nil {
		t.Errorf("a sandbox that was told to end reports %v", err)
	}
	if conn, err := net.Dial("tcp4", s.door); err == nil {
		_ = conn.Close()
		t.Error("the exposed port is still open after the end")
	}
}

func TestPortsCanBeBroughtInLater(t *testing.T) {
	s := start(t)
	ask(t, "http://"+s.door)
	late, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "came later")
	})}
	go func() { _ = server.Serve(late) }()
	t.Cleanup(func() { _ = server.Close() })
	url := "http://" + s.door + "/?from=" + late.Addr().String()
	if got := ask(t, url); !strings.Contains(got, "refused") {
		t.Errorf("before it is brought in the program inside answers %q", got)
	}
	for range 2 { // again is no error
		if err := s.box.Bring(late.Addr().(*net.TCPAddr).Port); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(t, url); got != "inside heard: came later" {
		t.Errorf("the program inside answers %q", got)
	}
	if err := s.box.Bring(s.port); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("bringing in a port that is taken inside: %v", err)
	}
}

func TestTheEndOfAProgramIsTheEndOfTheSandbox(t *testing.T) {
	s := start(t)
	ask(t, "http://"+s.door)
	_, _ = http.Get("http://" + s.door + "/quit") // it ends before it answers
	select {
	case <-s.box.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the sandbox goes on")
	}
	err := s.box.Wait()
	if err == nil || !strings.Contains(err.Error(), "insider has ended by itself: exit status 3; see "+s.log) {
		t.Errorf("reports %v", err)
	}
	if content, err := os.ReadFile(s.log); err != nil || !strings.Contains(string(content), "told to quit") {
		t.Errorf("the log holds %q (%v)", content, err)
	}
}

func TestAProgramThatCannotBeStartedIsNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no-such-program")
	box, err := Start(t.Context(), Options{Programs: []Program{{Name: "ghost", Args: []string{missing}, Log: filepath.Join(t.TempDir(), "log")}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Wait(); err == nil || !strings.Contains(err.Error(), "ghost") || !strings.Contains(err.Error(), missing) {
		t.Errorf("reports %v", err)
	}
}

func TestAnInvalidPlanIsRefused(t *testing.T) {
	for name, o := range map[string]Options{"no program": {}, "no path": {Programs: []Program{{Name: "x"}}}} {
		t.Run(name, func(t *testing.T) {
			if _, err := Start(t.Context(), o); err == nil {
				t.Error("it is started")
			}
		})
	}
}
