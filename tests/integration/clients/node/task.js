// What the container that this runs in is, as the task server says it: the clients are compared with it.
'use strict';
const fs = require('fs');

const metadata = process.env.ECS_CONTAINER_METADATA_URI_V4;
const get = async (url) => {
    const answer = await fetch(url);
    if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
    return answer.json();
};

exports.container = () => get(metadata);
exports.task = () => get(metadata + '/task');
exports.credentials = () => get('http://169.254.170.2' + process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI);
/// The id that the cgroup file tells. undefined on cgroup v2, where the file of a container says only "0::/".
exports.idOfCgroup = () => /[0-9a-f]{64}/.exec(fs.readFileSync('/proc/self/cgroup', 'utf8'))?.[0];
/// Runs a check; the process ends with it.
exports.run = (check) =>
    check().then(
        () => process.exit(0),
        (error) => {
            console.error(error.message);
            process.exit(1);
        },
    );
