// What is underneath it, as other libraries use it.
'use strict';
const assert = require('assert');
const { fromContainerMetadata } = require('@smithy/credential-provider-imds');
const { credentials, run } = require('./task');

run(async () => {
    const given = await credentials();
    const found = await fromContainerMetadata({ timeout: 1000, maxRetries: 0 })();
    assert.strictEqual(found.accessKeyId, given.AccessKeyId);
    assert.strictEqual(found.secretAccessKey, given.SecretAccessKey);
    assert.strictEqual(found.sessionToken, given.Token);
    assert.strictEqual(found.expiration.toISOString().slice(0, 19) + 'Z', given.Expiration);
});
