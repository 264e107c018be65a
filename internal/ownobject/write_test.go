package ownobject_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/fleetwright/fleetwright/internal/ownobject"
)

const finalizer = "fleetwright.io/test"

// A Secret stands for an object of any kind.
func secret(name string, change ...func(*corev1.Secret)) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}}
	for _, c := range change {
		c(s)
	}
	return s
}

func TestMeet(t *testing.T) {
	leaving := func(s *corev1.Secret) { s.DeletionTimestamp = &metav1.Time{Time: time.Unix(1e9, 0)} }
	ours := func(s *corev1.Secret) { s.Finalizers = []string{finalizer} }
	others := func(s *corev1.Secret) { s.Finalizers = []string{"x.io/y"} }
	c := fake.NewClientBuilder().WithObjects(secret("new"), secret("met", ours), secret("leaving", leaving, ours), secret("let-go", leaving, others)).Build()
	for name, want := range map[string]bool{"new": true, "met": true, "leaving": true, "let-go": false, "gone": false} {
		object := secret(name)
		lives, err := ownobject.Meet(t.Context(), c, c, object, finalizer, "test")
		if err != nil || lives != want {
			t.Errorf("%s: %t, %v", name, lives, err)
		}
		if lives && (len(object.Finalizers) != 1 || object.Finalizers[0] != finalizer) {
			t.Errorf("%s has finalizers %v", name, object.Finalizers)
		}
	}
}

func TestAnnotate(t *testing.T) {
	before := map[string]string{"ours": "1", "ours-too": "2", "others": ""}
	object := secret("a", func(s *corev1.Secret) { s.Annotations = before })
	c := fake.NewClientBuilder().WithObjects(object).Build()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
	stale := object.DeepCopy()
	if err := ownobject.Annotate(t.Context(), c, object, map[string]string{"ours": "3", "ours-too": ""}, "test"); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"ours": "3", "others": ""}; !maps.Equal(object.Annotations, want) {
		t.Errorf("annotations %v, want %v", object.Annotations, want)
	}
	if err := ownobject.Annotate(t.Context(), c, stale, map[string]string{"ours": "4"}, "test"); !apierrors.IsConflict(err) {
		t.Errorf("over somebody else's write: %v", err)
	}
}

func TestQuietly(t *testing.T) {
	other := errors.New("x")
	for name, test := range map[string]struct {
		err  error
		want ctrl.Result
		left error
	}{
		"done":     {nil, ctrl.Result{}, nil},
		"conflict": {apierrors.NewConflict(schema.GroupResource{}, "a", other), ctrl.Result{RequeueAfter: time.Second}, nil},
		"gone":     {apierrors.NewNotFound(schema.GroupResource{}, "a"), ctrl.Result{}, nil},
		"failed":   {other, ctrl.Result{}, other},
	} {
		if got, err := ownobject.Quietly(test.err); got != test.want || !errors.Is(err, test.left) || (err == nil) != (test.left == nil) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// seen is a reconciler that remembers whom it saw.
type seen []string

func (s *seen) Reconcile(_ context.Context, o *corev1.Secret) (ctrl.Result, error) {
	*s = append(*s, o.Name)
	return ctrl.Result{}, nil
}

func TestFromCache(t *testing.T) {
	c := fake.NewClientBuilder().WithObjects(secret("a"), secret("b")).Build()
	var saw, forgot seen
	r := ownobject.FromCache(c, &saw, func(gone types.NamespacedName) { forgot = append(forgot, gone.Name) })
	requests := ownobject.Requests(t.Context(), c, &corev1.SecretList{}, client.InNamespace("a"))
	requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "a", Name: "gone"}})
	for _, request := range requests {
		if _, err := r.Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if len(saw) != 2 || saw[0] != "a" || saw[1] != "b" || len(forgot) != 1 || forgot[0] != "gone" {
		t.Errorf("saw %v, forgot %v", saw, forgot)
	}
}
