package aso

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
	"github.com/fleetwright/fleetwright/localstack/loopback"
)

const (
	mutatePath   = "/mutate-azure-com"
	validatePath = "/validate-azure-com"
)

// AddWebhooks serves admission for all kinds with manager's webhook server.
func AddWebhooks(manager ctrl.Manager) {
	server := manager.GetWebhookServer()
	server.Register(mutatePath, &webhook.Admission{Handler: admission.HandlerFunc(defaultName)})
	server.Register(validatePath, &webhook.Admission{Handler: admission.HandlerFunc(writeOnce)})
}

// Webhooks returns the configurations that send admission of all kinds to hooks. Azure Service Operator has a webhook for
// each kind and version; they all do the same.
func Webhooks(hooks loopback.Endpoint) []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		configuration("MutatingWebhookConfiguration", "default", mutatePath, hooks),
		configuration("ValidatingWebhookConfiguration", "validate", validatePath, hooks),
	}
}

func configuration(kind, verb, path string, hooks loopback.Endpoint) *unstructured.Unstructured {
	var rules []any
	for _, each := range asospec.Kinds() {
		rules = append(rules, map[string]any{
			"apiGroups": []any{each.Group}, "apiVersions": []any{"*"}, "resources": []any{each.Plural},
			"operations": []any{"CREATE", "UPDATE"},
		})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
		"metadata": map[string]any{"name": "aso-" + verb},
		"webhooks": []any{map[string]any{
			"name": verb + ".azure.com", "sideEffects": "None", "failurePolicy": "Fail", "matchPolicy": "Equivalent",
			"admissionReviewVersions": []any{"v1"},
			"clientConfig": map[string]any{
				"url": hooks.URL + path, "caBundle": base64.StdEncoding.EncodeToString(hooks.CABundle),
			},
			"rules": rules,
		}},
	}}
}

// defaultName gives a resource the name of its object unless it has one, as defaultAzureName of each kind.
func defaultName(_ context.Context, request admission.Request) admission.Response {
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(request.Object.Raw, &object.Object); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if azureName(object) != "" {
		return admission.Allowed("")
	}
	if err := unstructured.SetNestedField(object.Object, object.GetName(), "spec", "azureName"); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	content, err := json.Marshal(object.Object)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(request.Object.Raw, content)
}

// writeOnce refuses another name or owner of what is in Azure already, as ValidateWriteOnceProperties in
// pkg/genruntime/admissions.go.
func writeOnce(_ context.Context, request admission.Request) admission.Response {
	if request.Operation != admissionv1.Update {
		return admission.Allowed("")
	}
	before, after := &unstructured.Unstructured{}, &unstructured.Unstructured{}
	for raw, object := range map[*unstructured.Unstructured][]byte{before: request.OldObject.Raw, after: request.Object.Raw} {
		if err := json.Unmarshal(object, &raw.Object); err != nil {
			return admission.Errored(http.StatusBadRequest, err)
		}
	}
	if after.GetAnnotations()[idAnnotation] == "" {
		return admission.Allowed("")
	}
	if err := errors.Join(unchanged(before, after, "azureName"), unchanged(before, after, "owner", "name"), unchanged(before, after, "owner", "armId")); err != nil {
		return admission.Denied(err.Error())
	}
	return admission.Allowed("")
}

func unchanged(before, after *unstructured.Unstructured, field ...string) error {
	path := append([]string{"spec"}, field...)
	old, _, _ := unstructured.NestedString(before.Object, path...)
	now, _, _ := unstructured.NestedString(after.Object, path...)
	if old == now || old == "" && field[0] == "azureName" {
		return nil
	}
	shown := strings.Join(path, ".")
	return fmt.Errorf("updating '%s' is not allowed for '%s : %s", shown, before.GroupVersionKind(), before.GetName())
}
