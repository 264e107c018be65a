package crds

import (
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/localstack/loopback"
)

const (
	fieldOwner = client.FieldOwner("fleetwright-localstack")
	// establishTimeout is generous: the API server needs well under a second per definition, unless the machine is busy.
	establishTimeout = 2 * time.Minute
	// parallel bounds how many definitions are applied at once.
	parallel = 8
)

// Install applies a provider's definitions and waits until the API server serves them. Definitions with several
// versions get conversion by webhook at hooks. It is idempotent, and must run again whenever hooks changes.
//
// The webhook configurations come later, with InstallWebhooks, once something answers at hooks.
func Install(ctx context.Context, config *rest.Config, provider Provider, hooks loopback.Endpoint) error {
	definitions, err := Definitions(provider)
	if err != nil {
		return err
	}
	return convertAndInstall(ctx, config, definitions, hooks)
}

// InstallFiles does what Install does with the definitions in a folder of files, see Read.
func InstallFiles(ctx context.Context, config *rest.Config, files fs.FS, folder string, hooks loopback.Endpoint) error {
	definitions, err := Read(files, folder, definition)
	if err != nil {
		return err
	}
	return convertAndInstall(ctx, config, definitions, hooks)
}

func convertAndInstall(ctx context.Context, config *rest.Config, definitions []*unstructured.Unstructured, hooks loopback.Endpoint) error {
	for _, definition := range definitions {
		if err := convertAt(definition, hooks); err != nil {
			return fmt.Errorf("prepare %s: %w", definition.GetName(), err)
		}
	}
	return InstallDefinitions(ctx, config, definitions)
}

// InstallDefinitions applies definitions as they are and waits until the API server serves them. It is idempotent.
func InstallDefinitions(ctx context.Context, config *rest.Config, definitions []*unstructured.Unstructured) error {
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("connect to install definitions: %w", err)
	}
	group, applying := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, definition := range definitions {
		group.Go(func() error {
			if err := apply(applying, cluster, definition); err != nil {
				return err
			}
			return awaitEstablished(applying, cluster, definition)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return awaitDiscovered(ctx, config, definitions)
}

// InstallWebhooks applies a provider's admission webhook configurations, pointed at hooks, for the resources (plural names)
// that hooks answers for; none means all whose definitions Install applies. It is idempotent, and must run again
// whenever hooks changes.
func InstallWebhooks(ctx context.Context, config *rest.Config, provider Provider, hooks loopback.Endpoint, only ...string) error {
	configurations, err := WebhookConfigurations(provider)
	if err != nil {
		return err
	}
	definitions, err := Definitions(provider)
	if err != nil {
		return err
	}
	return installWebhooks(ctx, config, string(provider), configurations, resources(definitions, only...), hooks)
}

// InstallWebhookFiles does what InstallWebhooks does with the configurations in a folder of files, see Read. The folder's
// name takes the place of the provider's.
func InstallWebhookFiles(ctx context.Context, config *rest.Config, files fs.FS, folder string, hooks loopback.Endpoint) error {
	configurations, err := Read(files, folder, mutating, validating)
	if err != nil {
		return err
	}
	definitions, err := Read(files, folder, definition)
	if err != nil {
		return err
	}
	return installWebhooks(ctx, config, folder, configurations, resources(definitions), hooks)
}

func installWebhooks(ctx context.Context, config *rest.Config, prefix string, configurations []*unstructured.Unstructured, installed sets.Set[string], hooks loopback.Endpoint) error {
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("connect to install the webhooks of %s: %w", prefix, err)
	}
	for _, configuration := range configurations {
		// Both providers call their configurations the same; kustomize adds the provider's prefix.
		configuration.SetName(prefix + "-" + configuration.GetName())
		if err := callAt(configuration, hooks, installed); err != nil {
			return fmt.Errorf("prepare %s: %w", configuration.GetName(), err)
		}
		if err := apply(ctx, cluster, configuration); err != nil {
			return err
		}
	}
	return nil
}

// convertAt sends conversions of a definition with several versions to hooks, as the provider's kustomization would.
func convertAt(definition *unstructured.Unstructured, hooks loopback.Endpoint) error {
	versions, _, err := unstructured.NestedSlice(definition.Object, "spec", "versions")
	if err != nil || len(versions) < 2 {
		return err
	}
	return unstructured.SetNestedMap(definition.Object, map[string]any{
		"strategy": "Webhook",
		"webhook": map[string]any{
			"conversionReviewVersions": []any{"v1"},
			"clientConfig":             clientConfig(hooks, "/convert"),
		},
	}, "spec", "conversion")
}

// callAt replaces the Service of each webhook by a URL and drops webhooks for resources that are not installed.
func callAt(configuration *unstructured.Unstructured, hooks loopback.Endpoint, installed sets.Set[string]) error {
	published, _, err := unstructured.NestedSlice(configuration.Object, "webhooks")
	if err != nil {
		return err
	}
	var kept []any
	for _, each := range published {
		webhook, ok := each.(map[string]any)
		if !ok {
			return fmt.Errorf("a webhook is %T", each)
		}
		path, _, err := unstructured.NestedString(webhook, "clientConfig", "service", "path")
		if err != nil {
			return err
		}
		if !concerns(webhook, installed) {
			continue
		}
		webhook["clientConfig"] = clientConfig(hooks, path)
		kept = append(kept, webhook)
	}
	return unstructured.SetNestedSlice(configuration.Object, kept, "webhooks")
}

func concerns(webhook map[string]any, installed sets.Set[string]) bool {
	rules, _, _ := unstructured.NestedSlice(webhook, "rules")
	for _, each := range rules {
		rule, ok := each.(map[string]any)
		if !ok {
			continue
		}
		names, _, _ := unstructured.NestedStringSlice(rule, "resources")
		groups, _, _ := unstructured.NestedStringSlice(rule, "apiGroups")
		for _, name := range names {
			for _, group := range groups {
				if installed.Has(name + "." + group) {
					return true
				}
			}
		}
	}
	return false
}

// resources returns the installed resources as plural.group, limited to the plural names in only if there are any.
func resources(definitions []*unstructured.Unstructured, only ...string) sets.Set[string] {
	names := sets.New[string]()
	for _, definition := range definitions {
		plural, _, _ := strings.Cut(definition.GetName(), ".")
		if len(only) == 0 || slices.Contains(only, plural) {
			names.Insert(definition.GetName())
		}
	}
	return names
}

func clientConfig(hooks loopback.Endpoint, path string) map[string]any {
	return map[string]any{
		"url":      hooks.URL + path,
		"caBundle": base64.StdEncoding.EncodeToString(hooks.CABundle),
	}
}

// Apply applies objects as they are, such as webhook configurations.
func Apply(ctx context.Context, config *rest.Config, objects []*unstructured.Unstructured) error {
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("connect to apply objects: %w", err)
	}
	for _, object := range objects {
		if err := apply(ctx, cluster, object); err != nil {
			return err
		}
	}
	return nil
}

func apply(ctx context.Context, cluster client.Client, object *unstructured.Unstructured) error {
	err := cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

func awaitEstablished(ctx context.Context, cluster client.Client, definition *unstructured.Unstructured) error {
	last := "no status yet"
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, establishTimeout, true, func(ctx context.Context) (bool, error) {
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(definition.GroupVersionKind())
		if err := cluster.Get(ctx, client.ObjectKeyFromObject(definition), live); err != nil {
			return false, err
		}
		// The list is null before the first condition.
		conditions, _, err := unstructured.NestedFieldNoCopy(live.Object, "status", "conditions")
		if err != nil {
			return false, err
		}
		list, _ := conditions.([]any)
		for _, each := range list {
			condition, ok := each.(map[string]any)
			if ok && condition["type"] == "Established" {
				last = fmt.Sprint(condition["message"])
				return condition["status"] == "True", nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is served (%s): %w", definition.GetName(), last, err)
	}
	return nil
}
