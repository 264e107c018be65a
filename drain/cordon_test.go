package drain

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/kubernetes"
)

func TestCordonTouchesOnlyWhatItSays(t *testing.T) {
	type call func(context.Context, kubernetes.Interface, NodeRef, Mark) error
	tests := map[string]struct {
		call call
		mark Mark
		body string
	}{
		"cordon": {
			call: Cordon, body: `{"metadata":{"uid":"uid-old-1"},"spec":{"unschedulable":true}}`,
		},
		"cordon and mark": {
			call: Cordon, mark: Mark{Key: "example.com/by", Value: "us"},
			body: `{"metadata":{"annotations":{"example.com/by":"us"},"uid":"uid-old-1"},"spec":{"unschedulable":true}}`,
		},
		"uncordon": {
			call: Uncordon, body: `{"metadata":{"uid":"uid-old-1"},"spec":{"unschedulable":false}}`,
		},
		"uncordon and take the mark off": {
			call: Uncordon, mark: Mark{Key: "example.com/by", Value: "us"},
			body: `{"metadata":{"annotations":{"example.com/by":null},"uid":"uid-old-1"},"spec":{"unschedulable":false}}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			server, client := serve(t, map[string]reply{"old-1": {code: 200, body: `{"kind":"Node","apiVersion":"v1","metadata":{"name":"old-1"}}`}})
			if err := tc.call(t.Context(), client, NodeRef{Name: "old-1", UID: "uid-old-1"}, tc.mark); err != nil {
				t.Fatalf("call = %v", err)
			}
			if diff := cmp.Diff([]string{"PATCH /api/v1/nodes/old-1"}, server.asked()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{tc.body}, server.bodies); diff != "" {
				t.Errorf("bodies (-want +got):\n%s", diff)
			}
			if err := tc.call(t.Context(), client, NodeRef{Name: "old-1"}, tc.mark); err == nil || len(server.asked()) != 1 {
				t.Errorf("call without uid = %v after %d requests, want an error and no request", err, len(server.asked())-1)
			}
		})
	}
}

func TestCordonTellsAReplacedNode(t *testing.T) {
	tests := map[string]struct {
		reply    reply
		replaced bool
	}{
		"conflict": {failure(409, "Conflict", "uid mismatch", ""), true},
		"immutable": {failure(422, "Invalid", "metadata.uid: Invalid value",
			`{"causes":[{"reason":"FieldValueInvalid","message":"field is immutable","field":"metadata.uid"}]}`), true},
		"another field": {failure(422, "Invalid", "spec.taints: Invalid value",
			`{"causes":[{"reason":"FieldValueInvalid","message":"bad","field":"spec.taints"}]}`), false},
		"forbidden": {failure(403, "Forbidden", "no", ""), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, client := serve(t, map[string]reply{"old-1": tc.reply})
			err := Cordon(t.Context(), client, NodeRef{Name: "old-1", UID: "x"}, Mark{})
			if err == nil || errors.Is(err, ErrNodeReplaced) != tc.replaced {
				t.Errorf("Cordon() = %v, ErrNodeReplaced %v, want %v", err, !tc.replaced, tc.replaced)
			}
		})
	}
}
