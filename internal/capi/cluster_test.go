package capi

import (
	"context"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// A Cluster is gone when the API server says so about it, and not while it does not serve the kind.
func TestWhetherAClusterIsThere(t *testing.T) {
	clusters := schema.GroupResource{Group: "cluster.x-k8s.io", Resource: "clusters"}
	for name, test := range map[string]struct {
		answer error
		fails  bool
	}{
		"no such Cluster":        {apierrors.NewNotFound(clusters, "prod"), false},
		"the kind is not served": {apierrors.NewGenericServerResponse(http.StatusNotFound, "GET", clusters, "prod", "404 page not found", 0, true), true},
	} {
		t.Run(name, func(t *testing.T) {
			reader := interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
				Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
					return test.answer
				},
			})
			c, err := ReadClusterAlone(t.Context(), reader, types.NamespacedName{Namespace: "fleet", Name: "prod"})
			if c.Found || (err != nil) != test.fails {
				t.Errorf("found %t, error %v", c.Found, err)
			}
		})
	}
}
