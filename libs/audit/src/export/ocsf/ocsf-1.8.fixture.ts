/**
 * What OCSF 1.8.0 (schema.ocsf.io/1.8.0; 1.8.0 of its schema, Apache-2.0) says of the classes and objects that are
 * written here: every attribute with its type, `[]` for a list, `!` for required, `*` for recommended, `@` for the profile that it
 * belongs to, and the values of its enumeration. Attributes that all five classes have alike stand once, in `EVERY_CLASS`.
 */
export interface OcsfTable {
  readonly attributes: string;
  /** At least one of these must be there. */
  readonly atLeastOne?: readonly string[];
}

export const EVERY_CLASS = `
    action:string_t@security_control action_id:integer_t*@security_control{0,1,2,3,4,99}
    activity_name:string_t attacks:attack[]@security_control authorizations:authorization[]@security_control
    category_name:string_t category_uid:integer_t! class_name:string_t class_uid:integer_t!
    cloud:cloud!@cloud confidence:string_t@security_control
    confidence_id:integer_t*@security_control{0,1,2,3,99} confidence_score:integer_t@security_control
    count:integer_t disposition:string_t@security_control
    disposition_id:integer_t*@security_control{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,99}
    duration:long_t end_time:timestamp_t enrichments:enrichment[]
    firewall_rule:firewall_rule@security_control is_alert:boolean_t*@security_control
    malware:malware[]@security_control malware_scan_info:malware_scan_info@security_control
    message:string_t* metadata:metadata! observables:observable[]* osint:osint[]!@osint
    policy:policy@security_control raw_data:string_t raw_data_hash:fingerprint raw_data_size:long_t
    risk_details:string_t@security_control risk_level:string_t@security_control
    risk_level_id:integer_t@security_control{0,1,2,3,4,99} risk_score:integer_t@security_control
    severity:string_t severity_id:integer_t!{0,1,2,3,4,5,6,99} start_time:timestamp_t status:string_t*
    status_code:string_t* status_detail:string_t* status_id:integer_t*{0,1,2,99} time:timestamp_t!
    timezone_offset:integer_t* type_name:string_t type_uid:long_t! unmapped:object
`;

/** By `class_uid`. */
export const CLASSES: Readonly<Record<number, OcsfTable>> = {
  // event log activity
  1008: {
    attributes: `
    activity_id:integer_t!{0,1,2,3,4,5,6,7,8,9,10,99} actor:actor* api:api@cloud device:device*
    dst_endpoint:network_endpoint* file:file* log_name:string_t* log_provider:string_t* log_type:string_t*
    log_type_id:integer_t*{0,1,2,99} src_endpoint:network_endpoint*
    `,
    atLeastOne: ['log_file', 'log_name', 'log_provider', 'log_type', 'log_type_id'],
  },
  // authentication
  3002: {
    attributes: `
    account_switch_type:string_t* account_switch_type_id:integer_t*{0,1,2,99}
    activity_id:integer_t!{0,1,2,3,4,5,6,7,99} actor:actor* api:api@cloud auth_factors:auth_factor[]
    auth_protocol:string_t* auth_protocol_id:integer_t*{0,1,2,3,4,5,6,7,8,9,10,11,12,99}
    authentication_token:authentication_token certificate:certificate* device:device*@host
    dst_endpoint:network_endpoint* http_request:http_request http_response:http_response
    is_cleartext:boolean_t is_mfa:boolean_t* is_new_logon:boolean_t is_remote:boolean_t*
    logon_process:process logon_type:string_t* logon_type_id:integer_t*{0,1,2,3,4,5,7,8,9,10,11,12,13,99}
    service:service* session:session* src_endpoint:network_endpoint* user:user!
    `,
    atLeastOne: ['service', 'dst_endpoint'],
  },
  // entity management
  3004: {
    attributes: `
    access_list:string_t[] access_mask:integer_t activity_id:integer_t!{0,1,2,3,4,5,6,7,8,9,10,11,12,13,99}
    actor:actor* api:api@cloud comment:string_t* device:device*@host entity:managed_entity!
    entity_result:managed_entity* http_request:http_request http_response:http_response
    src_endpoint:network_endpoint*
    `,
  },
  // application lifecycle
  6002: {
    attributes: `
    activity_id:integer_t!{0,1,2,3,4,5,6,7,8,99} actor:actor@host api:api@cloud app:product!
    device:device*@host
    `,
  },
  // api activity
  6003: {
    attributes: `
    activity_id:integer_t!{0,1,2,3,4,99} actor:actor! ai_model:ai_model*@ai_operation api:api!
    device:device*@host dst_endpoint:network_endpoint* http_request:http_request*
    http_response:http_response* message_context:message_context@ai_operation resources:resource_details[]*
    src_endpoint:network_endpoint! trace:trace*@trace
    `,
  },
};

/** Objects, by name. `object` and `json_t` hold anything. */
export const OBJECTS: Readonly<Record<string, OcsfTable>> = {
  actor: {
    attributes: `
    app_name:string_t app_uid:string_t authorizations:authorization[] idp:idp invoked_by:string_t
    process:process* session:session user:user*
    `,
    atLeastOne: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'],
  },
  api: {
    attributes: `
    group:group operation:string_t! request:request* response:response* service:service token:token
    version:string_t
    `,
  },
  authorization: {
    attributes: `
    decision:string_t* policy:policy
    `,
  },
  idp: {
    attributes: `
    auth_factors:auth_factor[] domain:string_t fingerprint:fingerprint has_mfa:boolean_t issuer:string_t
    name:string_t* protocol_name:string_t scim:scim sso:sso state:string_t state_id:integer_t{0,1,2,3,4,99}
    tenant_uid:string_t uid:string_t* url_string:url_t
    `,
    atLeastOne: ['name', 'uid'],
  },
  managed_entity: {
    attributes: `
    data:json_t device:device* email:email* group:group* location:location name:string_t* org:organization*
    policy:policy* type:string_t* type_id:integer_t*{0,1,2,3,4,5,6,7,99} uid:string_t* user:user*
    version:string_t*
    `,
    atLeastOne: ['name', 'uid', 'device', 'group', 'org', 'policy', 'user'],
  },
  metadata: {
    attributes: `
    correlation_uid:string_t data_classification:data_classification*@data_classification
    data_classifications:data_classification[]*@data_classification debug:string_t[] event_code:string_t
    extension:extension extensions:extension[] is_truncated:boolean_t labels:string_t[] log_format:string_t
    log_level:string_t log_name:string_t* log_provider:string_t log_source:string_t log_version:string_t
    logged_time:timestamp_t loggers:logger[] modified_time:timestamp_t original_event_uid:string_t
    original_time:string_t* processed_time:timestamp_t product:product! profiles:string_t[]
    reporter:reporter* sequence:integer_t source:string_t tags:key_value_object[] tenant_uid:string_t*
    total_queued_duration:timespan transformation_info_list:transformation_info[] transmit_time:timestamp_t
    type:string_t uid:string_t untruncated_size:integer_t version:string_t!
    `,
  },
  network_endpoint: {
    attributes: `
    agent_list:agent[] autonomous_system:autonomous_system container:container*@container domain:string_t
    fingerprints:fingerprint[] hostname:hostname_t* hw_info:device_hw_info instance_uid:string_t*
    interface_name:string_t* interface_uid:string_t* intermediate_ips:ip_t[] ip:ip_t* isp:string_t
    isp_org:string_t location:location mac:mac_t mac_vendor:string_t name:string_t*
    namespace_pid:integer_t*@container network_scope:string_t network_scope_id:integer_t{0,1,2,99} os:os
    owner:user* pool:group port:port_t* proxy_endpoint:network_proxy subnet_uid:string_t svc_name:string_t*
    type:string_t type_id:integer_t*{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,99} uid:string_t*
    vlan_uid:string_t vpc_uid:string_t zone:string_t
    `,
    atLeastOne: [
      'ip',
      'uid',
      'name',
      'hostname',
      'svc_name',
      'instance_uid',
      'interface_uid',
      'interface_name',
      'domain',
    ],
  },
  organization: {
    attributes: `
    name:string_t* ou_name:string_t* ou_uid:string_t uid:string_t*
    `,
    atLeastOne: ['name', 'uid'],
  },
  policy: {
    attributes: `
    data:json_t desc:string_t group:group is_applied:boolean_t* name:string_t* type:string_t uid:string_t*
    version:string_t*
    `,
    atLeastOne: ['name', 'type', 'uid'],
  },
  product: {
    attributes: `
    cpe_name:string_t data_classification:data_classification*@data_classification
    data_classifications:data_classification[]*@data_classification feature:feature lang:string_t
    name:string_t* path:string_t uid:string_t* url_string:url_t vendor_name:string_t* version:string_t*
    `,
    atLeastOne: ['name', 'uid'],
  },
  request: {
    attributes: `
    containers:container[] data:json_t flags:string_t[] uid:string_t!
    `,
  },
  resource_details: {
    attributes: `
    agent_list:agent[] cloud_partition:string_t@cloud created_time:timestamp_t criticality:string_t
    data:json_t data_classification:data_classification*@data_classification
    data_classifications:data_classification[]*@data_classification group:group hostname:hostname_t*
    ip:ip_t* is_backed_up:boolean_t labels:string_t[] modified_time:timestamp_t name:string_t*
    namespace:string_t owner:user* provider:string_t@cloud region:string_t@cloud resource_relationship:graph
    role:string_t role_id:integer_t*{0,1,2,3,4,99} tags:key_value_object[] type:string_t uid:resource_uid_t*
    uid_alt:resource_uid_t version:string_t zone:string_t@cloud
    `,
    atLeastOne: ['name', 'uid'],
  },
  response: {
    attributes: `
    code:integer_t* containers:container[] data:json_t error:string_t* error_message:string_t*
    flags:string_t[] message:string_t*
    `,
  },
  service: {
    attributes: `
    labels:string_t[] name:string_t* tags:key_value_object[] uid:string_t* version:string_t*
    `,
    atLeastOne: ['name', 'uid'],
  },
  session: {
    attributes: `
    count:integer_t created_time:timestamp_t* credential_uid:string_t expiration_reason:string_t
    expiration_time:timestamp_t is_mfa:boolean_t is_remote:boolean_t* is_vpn:boolean_t issuer:string_t*
    terminal:string_t uid:string_t* uid_alt:string_t uuid:uuid_t
    `,
  },
  trace: {
    attributes: `
    duration:long_t end_time:timestamp_t flags:string_t[] service:service span:span start_time:timestamp_t
    uid:string_t!
    `,
  },
  user: {
    attributes: `
    account:account credential_uid:string_t display_name:string_t domain:string_t email_addr:email_t
    forward_addr:email_t full_name:string_t groups:group[] has_mfa:boolean_t* ldap_person:ldap_person
    name:username_t* org:organization phone_number:string_t
    programmatic_credentials:programmatic_credential[] risk_level:string_t
    risk_level_id:integer_t{0,1,2,3,4,99} risk_score:integer_t type:string_t
    type_id:integer_t*{0,1,2,3,4,99} uid:string_t* uid_alt:string_t
    `,
    atLeastOne: ['account', 'name', 'uid'],
  },
};

/** Types that are more than their JSON type, by the dictionary of the schema. */
export const PATTERNS: Readonly<Record<string, RegExp>> = {
  email_t: /^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$/,
  uuid_t: /[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}/,
  datetime_t: /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?([Zz]|[+-]\d{2}:\d{2})?$/,
};
