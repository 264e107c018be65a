package testkit

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Main runs the tests of a package on one API server (see StartAPIServer) and returns the code to exit with. connect makes of its
// address what the tests ask it with. Controllers log nothing.
func Main(m *testing.M, connect func(*rest.Config) error, furtherCRDs ...string) (code int) {
	config, stop, err := StartAPIServer(furtherCRDs...)
	if err == nil {
		ctrl.SetLogger(logr.Discard())
		if err = connect(config); err == nil {
			code = m.Run()
		}
		err = errors.Join(err, stop())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Connect makes a client that knows Kubernetes' own kinds and those that are added.
func Connect(config *rest.Config, kinds ...func(*runtime.Scheme) error) (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	for _, add := range append(kinds, clientgoscheme.AddToScheme) {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}
