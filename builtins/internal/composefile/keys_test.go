package composefile_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

// judged are all keys that a project can have, by the types of the library. Those before the bar let a container out, or may:
// they are among the demands of a project, or refused, or belong to a build, which asks for itself; or they are resolved and
// gone when a project is loaded. Those behind it stay within the container, or give it more or less of what the machine has.
var judged = map[string]string{
	"Project":       "configs jobs models networks secrets services volumes | name",
	"ServiceConfig": "deploy develop extends external_links net post_start pre_start pre_stop profiles provider | attach container_name links name restart scale",
	"ContainerSpec": "annotations cap_add cgroup cgroup_parent configs credential_spec device_cgroup_rules devices env_file gpus ipc label_file " +
		"log_driver log_opt logging models network_mode networks pid privileged pull_policy pull_refresh_after runtime secrets security_opt " +
		"use_api_socket userns_mode uts volume_driver volumes volumes_from | blkio_config cap_drop command cpu_count cpu_percent cpu_period " +
		"cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset dns dns_opt dns_search domainname entrypoint environment extra_hosts " +
		"group_add hostname image init isolation labels mac_address mem_limit mem_reservation mem_swappiness memswap_limit oom_kill_disable " +
		"oom_score_adj pids_limit platform read_only shm_size stop_grace_period stop_signal storage_opt sysctls tmpfs ulimits umask user working_dir",
	"WorkloadSpec": "build | depends_on dockerfile expose healthcheck ports stdin_open tty",
	"BuildConfig": "additional_contexts cache_from cache_to context dockerfile entitlements network privileged secrets ssh tags | args dockerfile_inline " +
		"extra_hosts isolation labels no_cache no_cache_filter platforms provenance pull sbom shm_size target ulimits",
	"ServiceVolumeConfig":    "source type volume | bind consistency image read_only target tmpfs",
	"ServiceVolumeBind":      "| create_host_path propagation recursive selinux",
	"ServiceVolumeVolume":    "| labels nocopy subpath",
	"ServiceVolumeTmpfs":     "| mode size",
	"ServiceVolumeImage":     "| subpath",
	"ServiceConfigObjConfig": "source | gid mode target uid",
	"ServiceSecretConfig":    "source | gid mode target uid",
	"ConfigObjConfig":        "environment file | content driver driver_opts external labels name template_driver",
	"SecretConfig":           "environment file | content driver driver_opts external labels name template_driver",
	"VolumeConfig":           "driver driver_opts external name | labels",
	"NetworkConfig":          "driver driver_opts external ipam name | attachable enable_ipv4 enable_ipv6 internal labels",
	"IPAMConfig":             "driver | config options",
	"IPAMPool":               "| aux_addresses gateway ip_range subnet",
	"ServiceNetworkConfig": "| aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address priority " +
		"use_service_name_alias",
	"ServiceHook":             "privileged | command environment user working_dir",
	"PreStartHook":            "per_replica |",
	"LoggingConfig":           "driver | options",
	"DeviceMapping":           "source | permissions target",
	"DeviceRequest":           "capabilities count device_ids driver options |",
	"EnvFile":                 "format path | required",
	"ExtendsConfig":           "file | service",
	"ServiceProviderConfig":   "options type |",
	"CredentialSpecConfig":    "config file registry |",
	"ServiceModelConfig":      "endpoint_var model_var |",
	"ModelConfig":             "context_size model name runtime_flags |",
	"DevelopConfig":           "watch |",
	"Trigger":                 "action exec ignore include initial_sync path target |",
	"JobConfig":               "name profiles triggers |",
	"TriggerConfig":           "manual schedule |",
	"ScheduleConfig":          "concurrency cron missed_fires timezone |",
	"SSHKey":                  "id |",
	"DeployConfig":            "resources | endpoint_mode labels mode placement replicas restart_policy rollback_config update_config",
	"Resources":               "reservations | limits",
	"Resource":                "devices | cpus generic_resources memory pids",
	"GenericResource":         "| discrete_resource_spec",
	"DiscreteGenericResource": "|",
	"UpdateConfig":            "| delay failure_action max_failure_ratio monitor order parallelism",
	"RestartPolicy":           "| condition delay max_attempts window",
	"Placement":               "| constraints max_replicas_per_node preferences",
	"PlacementPreferences":    "| spread",
	"BlkioConfig":             "| device_read_bps device_read_iops device_write_bps device_write_iops weight weight_device",
	"WeightDevice":            "|",
	"ThrottleDevice":          "|",
	"UlimitsConfig":           "| hard single soft",
	"ServiceDependency":       "| condition required restart",
	"HealthCheckConfig":       "| disable interval retries start_interval start_period test timeout",
	"ServicePortConfig":       "| app_protocol host_ip mode name protocol published target",
}

// A key that the library has come to know is not let through unseen: this fails until it has been judged.
func TestEveryKeyIsJudged(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for name, keys := range judged {
		want[name] = slices.Sorted(slices.Values(strings.Fields(strings.Replace(keys, "|", "", 1))))
	}
	if d := cmp.Diff(want, keysOf(reflect.TypeFor[types.Project]())); d != "" {
		t.Errorf("the keys of a project are not those that have been judged (-judged +has):\n%s", d)
	}
}

// keysOf lists the keys of a type and of all types below it, by type.
func keysOf(top reflect.Type) map[string][]string {
	all := map[string][]string{}
	var visit func(reflect.Type)
	visit = func(ty reflect.Type) {
		switch ty.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(ty.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if _, seen := all[ty.Name()]; seen || !strings.Contains(ty.PkgPath(), "compose-go") {
			return
		}
		var keys []string
		for i := range ty.NumField() {
			name, _, _ := strings.Cut(ty.Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" && name[0] != '#' {
				keys = append(keys, name)
			}
		}
		all[ty.Name()] = slices.Sorted(slices.Values(keys))
		for i := range ty.NumField() {
			visit(ty.Field(i).Type)
		}
	}
	visit(top)
	return all
}
